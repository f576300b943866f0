"""Plans an adaptation: tries all parts of it, and writes nothing."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from mmdet.registry import HOOKS, MODELS
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from torch import nn

from da_faster.apis.log_backends import check_backends
from da_faster.config_files import enter_scope, set_options
from da_faster.config_tree import all_datasets, dataloaders
from da_faster.data_check import stop_if_fatal
from da_faster.datasets.target_dataset import images_below
from da_faster.detectors import Detector, StockDetector, check_detections
from da_faster.errors import UserError, describe_error

from .configuration import configure
from .description import describe
from .export import as_adapted
from .settings import Settings, checked_blend
from .work_dir import WorkDir


class Plan(NamedTuple):
    """An adaptation that can begin.

    Attributes:
        config (Config): The config to train.
        notes (list[str]): Lines for the user: what the adaptation does.
        original (StockDetector): The detector before the adaptation.
    """

    config: Config
    notes: list[str]
    original: StockDetector


def make_plan(
    detector: Detector,
    settings: Settings,
    work_dir: WorkDir,
    options: Mapping | None = None,
    data_check: bool = True,
) -> Plan:
    """Plans an adaptation, and tries all parts of it.

    Args:
        detector (Detector): The detector to adapt.
        settings (Settings): The choices of the user.
        work_dir (WorkDir): The work dir of the adaptation.
        options (dict, optional): Overrides of the adaptation's config, by
            dotted key.
        data_check (bool): Look for errors in the data.

    Raises:
        UserError: If something given cannot be used.
    """
    file = work_dir.config
    config = configure(detector, settings, str(work_dir.start))
    apply_options(config, options or {}, detector, file)
    if data_check:
        stop_if_fatal(
            config,
            advice='nothing was written; --skip-data-check continues anyway.',
            read_images=['target'],
        )
    original = detector.as_stock()
    opened = original.open()
    image = images_below(settings.target)[0]
    detector.try_out(opened, image)
    model = build_all(config, file)
    check_shapes(model.student, opened, file)
    if options:
        changed = replace(original, config=as_adapted(detector, config))
        name = f'{detector.name} with these options'
        check_detections(changed.open(), image, name)
    return Plan(config, describe(detector, settings, config, model), original)


def apply_options(
    config: Config, options: Mapping, detector: Detector, file: Path
) -> None:
    """Sets options, and the keys of ``adaptation``.

    Raises:
        UserError: If an option changes what has to stay.
    """
    for key in ('resume', 'work_dir'):
        if key in options:
            raise UserError(
                f'{file} was not written: give --{key.replace("_", "-")}, not '
                f'{key} in --cfg-options.'
            )
    for key in options:
        if key.split('.')[0] == 'adaptation' and key != 'adaptation.blend':
            raise UserError(
                f'{file} was not written: leave {key} as it is; of '
                'adaptation, --cfg-options sets adaptation.blend alone.'
            )
    start, loop = config.load_from, config.train_cfg.type
    set_options(config, options, str(file))
    blend = checked_blend(config, file)
    if config.load_from != start:
        raise UserError(
            f'{file} was not written: leave load_from as it is; the weights '
            f'to begin with are those of {detector.checkpoint}.'
        )
    if (config.get('train_cfg') or {}).get('type', loop) != loop:
        raise UserError(
            f'{file} was not written: leave train_cfg.type as it is; --source '
            'and --target-labels choose the loop.'
        )
    config.adaptation = dict(
        config.get('adaptation') or {},
        blend=blend,
        # A resume compares the checkpoint and its hash.
        checkpoint=detector.checkpoint,
        sha256=detector.sha256,
    )


def build_all(new: Config, file: Path) -> nn.Module:
    """Builds each part that a config names, to find what cannot be built.

    Args:
        new (Config): A config of an adaptation.
        file (Path): The file of the config, for messages.

    Returns:
        Module: The model, in training mode.

    Raises:
        UserError: If a part cannot be built, or is missing.
    """
    enter_scope(new)
    try:
        model = MODELS.build(copy.deepcopy(new.model))
        build_optim_wrapper(model, copy.deepcopy(new.optim_wrapper))
        for hook in new.get('custom_hooks') or []:
            hook = copy.deepcopy(hook)
            hook.pop('priority', None)  # Runner takes it out, too
            HOOKS.build(hook)
        checkpoint = (new.get('default_hooks') or {}).get('checkpoint')
        if checkpoint:  # the hook checks save_best, by_epoch and others
            HOOKS.build(copy.deepcopy(checkpoint))
        for steps in pipelines_of(new):
            Compose(copy.deepcopy(steps))
        for key in ('val_evaluator', 'test_evaluator'):
            Evaluator(copy.deepcopy(new.get(key) or []))
    except Exception as error:
        raise UserError(
            f'{file} was not written, as nothing can be built of it: '
            f'{describe_error(error)}.'
        ) from error
    check_training(new, file)
    return model.train()


def pipelines_of(new: Config) -> Iterator[list]:
    """The pipelines of all datasets of a config, wrappers included."""
    for loader in dataloaders(new).values():
        for dataset in all_datasets(loader.dataset):
            yield dataset.get('pipeline') or []


def check_training(new: Config, file: Path) -> None:
    """Raises a UserError if options remove what the training needs."""
    hooks = [hook.type for hook in new.get('custom_hooks') or []]
    if 'SelfTrainingHook' not in hooks or not new.get('train_cfg'):
        raise UserError(
            f'{file} was not written: leave SelfTrainingHook and train_cfg in '
            'it.'
        )
    iters = new.train_cfg.get('max_iters')
    if not isinstance(iters, int) or iters < 1:
        raise UserError(
            f'{file} was not written: train_cfg.max_iters must be a whole '
            f'number from 1, got {iters}.'
        )
    checkpoint = (new.get('default_hooks') or {}).get('checkpoint') or {}
    if not checkpoint.get('save_last', bool(checkpoint)):
        raise UserError(
            f'{file} was not written: leave default_hooks.checkpoint and its '
            'save_last in it, as the last checkpoint is what is exported.'
        )
    for role in ('val', 'test'):
        parts = 'dataloader', 'evaluator', 'cfg'
        keys = [f'{role}_{part}' for part in parts]
        given = sum(new.get(key) is not None for key in keys)
        if given not in ((0, 3) if role == 'val' else (3,)):
            raise UserError(
                f'{file} was not written: leave {", ".join(keys)} in it'
                f'{", or take all three out" if role == "val" else ""}.'
            )
    check_backends(new)


def check_shapes(student: nn.Module, detector: nn.Module, file: Path) -> None:
    """Raises a UserError if options change the shapes of weights.

    Such weights would begin with random numbers, and could not be exported.
    """
    ours, theirs = (
        {name: value.shape for name, value in model.state_dict().items()}
        for model in (student, detector)
    )
    changed = sorted(
        name
        for name in ours.keys() | theirs.keys()
        if ours.get(name) != theirs.get(name)
    )
    if changed:
        raise UserError(
            f'{file} was not written: options change {len(changed)} weights '
            f"of the detector, such as {changed[0]}; leave the detector's "
            'layers as they are.'
        )
