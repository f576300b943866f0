"""Reads the config and the data that the benchmarks of speed work on."""

import os
import os.path as osp
from collections.abc import Mapping

from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from da_faster.config_files import read_config
from da_faster.config_tree import without_pretrained
from da_faster.errors import UserError

# Annotations and images of each set in a generated pair.
SPLITS = dict(
    train=('annotations/source_train.json', 'source/'),
    target=(None, 'target/'),
    test=('annotations/target_test.json', 'target_test/'),
)


def load_config(
    path: str,
    pair: str | None = None,
    cfg_options: Mapping | None = None,
    need_target: bool = False,
) -> Config:
    """Reads a train config, without the pretrained weights.

    Speed does not depend on the origin of the weights, so nothing is
    downloaded. The log is silenced, too.

    Args:
        path (str): The config file.
        pair (str, optional): A generated pair, to take the images from.
        cfg_options (dict, optional): Settings to override, by dotted name.
        need_target (bool): Whether the config must have two domains.

    Raises:
        UserError: If the config or the data are missing or cannot be used.
    """
    register_all_modules()
    # Building a model would log each of its weights.
    MMLogger.get_instance('benchmark', log_level='ERROR')
    cfg = read_config(path, cfg_options)
    if not cfg.get('train_cfg'):
        raise UserError(f'{path} trains nothing; take a train config.')
    if need_target and 'target_dataloader' not in cfg.train_cfg:
        raise UserError(
            f'{path} has no target_dataloader; take a config of '
            'an adapted detector.'
        )
    if pair:
        use_pair(cfg, pair)
        cfg.merge_from_dict(dict(cfg_options or {}))
    cfg.model = without_pretrained(cfg.model)
    dataset = cfg.train_dataloader.dataset
    if 'ann_file' in dataset:
        found = osp.join(dataset.get('data_root') or '', dataset.ann_file)
        if not osp.isfile(found):
            raise UserError(
                f'{found} does not exist; bring the data there, '
                'or give --pair.'
            )
    return cfg


def use_pair(cfg: Config, folder: str) -> None:
    """Points the datasets of a config at a generated pair.

    Args:
        cfg (Config): The config; changed in place.
        folder (str): The pair, made by tools/dataset_converters/city2foggy.py.

    Raises:
        UserError: If the folder is no such pair, or if the config needs more
            than a pair has.
    """
    folder = osp.abspath(folder)
    for ann_file, images in SPLITS.values():
        for part in filter(None, (ann_file, images)):
            path = osp.join(folder, part)
            if not (osp.isfile(path) or osp.isdir(path) and os.listdir(path)):
                raise UserError(
                    f'{folder} is no generated pair ({part} is missing or '
                    'empty); make one with '
                    'tools/dataset_converters/city2foggy.py.'
                )
    loaders = dict(
        train=cfg.train_dataloader,
        target=cfg.train_cfg.get('target_dataloader'),
        test=cfg.get('test_dataloader'),
    )
    for name, loader in loaders.items():
        if loader is None:
            continue
        ann_file, images = SPLITS[name]
        dataset = loader.dataset
        if dataset.type not in ('CocoDataset', 'TargetDataset'):
            raise UserError(
                f'--pair: the {name} set is a {dataset.type}; '
                'only a CocoDataset can be replaced.'
            )
        if any(step.get('with_mask') for step in dataset.pipeline):
            raise UserError(
                f'--pair: the {name} set needs masks, which a '
                'generated pair has not; take a config without '
                'a mask branch.'
            )
        dataset.update(data_root=folder, data_prefix=dict(img=images))
        dataset.pop('img_suffix', None)
        if ann_file:
            dataset.ann_file = ann_file
    if cfg.get('test_evaluator'):  # else the config has no labels to test on
        cfg.test_evaluator.ann_file = osp.join(folder, SPLITS['test'][0])
    if cfg.get('val_dataloader'):  # else its training does not validate
        cfg.val_dataloader = cfg.test_dataloader
        cfg.val_evaluator = cfg.test_evaluator


def loaders(cfg: Config, **changes) -> dict:
    """Builds the training loaders of a config, shuffled by fixed seeds.

    Args:
        cfg (Config): The config.
        **changes: Settings of the loaders to replace (``num_workers``, ...).

    Returns:
        dict: The loaders by domain: ``source``, and ``target`` if there is
        one.
    """
    configs = dict(source=cfg.train_dataloader)
    if 'target_dataloader' in cfg.train_cfg:
        configs['target'] = cfg.train_cfg.target_dataloader
    if changes.get('num_workers', 1) == 0:
        changes['persistent_workers'] = False
    with DefaultScope.overwrite_default_scope('mmdet'):
        return {
            domain: Runner.build_dataloader({**config, **changes}, seed=seed)
            for seed, (domain, config) in enumerate(configs.items())
        }
