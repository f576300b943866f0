"""Lists the methods to compare, and finds their configs."""

import copy
import os
import os.path as osp
from collections.abc import Mapping
from glob import escape, glob
from typing import NamedTuple

from mmengine.config import Config

from da_faster.config_files import read_config
from da_faster.data_check import stop_if_fatal
from da_faster.errors import UserError
from da_faster.files import write_atomically
from da_faster.package_configs import carried_root


class Method(NamedTuple):
    """A row of the table.

    Attributes:
        config (str): The beginning of the config's name.
        options (dict): Settings that differ from the config, by dotted name.
        label (str): The name of the method in the table, if that differs.
    """

    config: str
    options: Mapping[str, object] = {}
    label: str = ''

    @property
    def arguments(self) -> tuple:
        """Formats the options as tools/train.py takes them."""
        return tuple(f'{k}={v}' for k, v in self.options.items())


BASELINE = 'source-only'
TEMPLATE = 'configs/custom/source_only_custom.py'
METHODS = {
    'source-only': Method('source_only'),
    'strong': Method('source_only_strong', label='strong source-only'),
    'style': Method('source_only_style', label="strong + target's colours"),
    'control': Method(
        'da_faster_plain',
        {
            'model.domain_neck.grad_scale': 0,
            'model.instance_domain_head.grad_scale': 0,
        },
        'control: DA with reversal 0',
    ),
    'image': Method(
        'da_faster_plain',
        {'model.instance_domain_head': None},
        'DA image',
    ),
    'instance': Method(
        'da_faster_plain', {'model.domain_neck': None}, 'DA instance'
    ),
    'da': Method('da_faster_plain', label='DA image + instance'),
    'consistency': Method(
        'da_faster_plain',
        {
            'model.loss_consistency.type': 'DomainConsistencyLoss',
            'model.loss_consistency.loss_weight': 0.1,
        },
        'DA image + instance + consistency',
    ),
    'strong-da': Method('da_faster_strong', label='strong + DA'),
    'style-da': Method('da_faster', label="strong + target's colours + DA"),
    'teacher': Method('mean_teacher', label='mean teacher'),
    'teacher-control': Method(
        'mean_teacher',
        {'model.target_weight': 0},
        'control: mean teacher, its labels weigh 0',
    ),
    'oracle': Method('oracle'),
    'oracle-strong': Method('oracle_strong', label='strong oracle'),
}


def find_config(configs: str, method: str, pair: str) -> str | None:
    """Finds the config of a method and a pair by its file name.

    Args:
        configs (str): The folder of configs, with subfolders.
        method (str): A name of METHODS.
        pair (str): The end of the config's name.

    Returns:
        str: The file; None where there is none.

    Raises:
        UserError: If there are several files.
    """
    name = f'{METHODS[method].config}_{pair}.py'
    found = sorted(
        glob(osp.join(escape(configs), '**', escape(name)), recursive=True)
    )
    if len(found) > 1:
        raise UserError(
            f'{found[0]} and {found[1]} have one name: move one of them out '
            f'of {configs}.'
        )
    return found[0] if found else None


def write_configs(config: str, folder: str) -> None:
    """Writes the configs of all methods for a config made from the template.

    The configs are those beside the template, on top of a copy of the given
    config. An edit during the trainings has no effect.

    Args:
        config (str): The user's config.
        folder (str): The folder to write.

    Raises:
        UserError: If the config is not made from the template, its data are
            not as the config says, or it has no labelled target images.
    """
    template = carried_root() / TEMPLATE
    cfg = read_config(config)
    for name in read_config(template):
        needed = name.endswith('_pipeline') or name in (
            'domain_classifiers',
            'target_dataloader',
        )
        if needed and name not in cfg:
            raise UserError(
                f'{config} has no {name}: begin it as a copy of {template}.'
            )
    if (
        cfg.train_cfg.type == 'DALoop'
        or cfg.model.type == 'DAFasterRCNN'
        or cfg.train_dataloader.dataset.pipeline != cfg.train_pipeline
    ):
        raise UserError(
            f'{config} trains one of the methods to compare: give the config '
            f'made from {template}, to which each method adds.'
        )
    if not cfg.get('val_evaluator'):
        raise UserError(
            f'{config} has no labelled target images, without which nobody '
            'can say which method is best: label some, and set test_labels '
            'and test_images.'
        )
    checked = copy.deepcopy(cfg)
    checked.train_dataloader.dataset.pipeline = cfg.style_pipeline
    checked.train_cfg.target_dataloader = cfg.target_dataloader
    stop_if_fatal(checked)
    os.makedirs(folder, exist_ok=True)
    for path in template.parent.glob('*_custom.py'):
        if path.name == template.name:
            cfg.dump(osp.join(folder, path.name))
        else:
            write_atomically(path.read_bytes(), osp.join(folder, path.name))


def label_files(config: str) -> tuple[str, str]:
    """Returns the annotation files of the training and of the scoring.

    Raises:
        UserError: If a file is missing, or the config has no evaluator.
    """
    cfg = Config.fromfile(config)
    if not cfg.get('val_evaluator'):
        raise UserError(
            f'{config} has no val_evaluator, so nothing to compare by: name '
            'the labelled images of its target.'
        )
    source = cfg.train_dataloader.dataset
    files = (
        osp.join(source.get('data_root') or '', source.ann_file),
        cfg.val_evaluator.ann_file,
    )
    for path in files:
        if not osp.isfile(path):
            raise UserError(f'{path} does not exist; bring the data there.')
    return files
