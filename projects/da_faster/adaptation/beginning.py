"""What an adaptation looks at and writes before it trains."""

import copy
import os.path as osp
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mmdet.registry import HOOKS, MODELS
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from torch import nn

from da_faster.apis.config import need_backends, need_folder
from da_faster.apis.detectors import (
    open_stock,
    read_any_config,
    try_detector,
    write_stock,
)
from da_faster.checkpoint_conversion import to_stock_config
from da_faster.config_files import enter_scope, read_config, set_options
from da_faster.config_tree import all_datasets, dataloaders, leaves
from da_faster.data_check import stop_if_fatal
from da_faster.engine.checkpoints.files import last_checkpoint
from da_faster.errors import UserError, describe_error
from da_faster.files import file_sha256, write_atomically

from .blending import need_share
from .derived import derive, with_memory
from .description import describe
from .loaders import measured_pipeline
from .settings import adapt_config, has_labels


def begin(
    config,
    checkpoint,
    target,
    image,
    file,
    start,
    options,
    data_check,
    trust,
    say,
    settings,
) -> None:
    """Writes the detector as it came and the config; see ``adapt``."""
    need_free_folder(file.parent)
    cfg = read_any_config(config)
    new = adapt_config(
        cfg, target, load_from=str(start), name=config, **settings
    )
    options = dict(options or {})
    for key in ('resume', 'work_dir'):
        if key in options:
            raise UserError(
                f'{file} was not written: give --{key.replace("_", "-")}, not '
                f'{key} in --cfg-options.'
            )
    set_options(new, options, str(file))
    need_share(new.blend, file)
    if new.load_from != str(start):
        raise UserError(
            f'{file} was not written: leave load_from as it is; the weights '
            f'to begin with are those of {checkpoint}.'
        )
    if data_check:
        stop_if_fatal(
            new,
            mend='nothing was written; --skip-data-check goes on anyway.',
            read_images=['target'],
        )
    derived = derive(cfg, config, has_labels(**settings))
    with TemporaryDirectory() as folder:
        stock = write_stock(cfg, checkpoint, Path(folder, 'x.pth'), trust)
        detector = open_stock(stock.config, stock.checkpoint)
        try_detector(detector, image, derived.classes, config, checkpoint)
        model = built(new, file)
        need_shapes(model.student, detector, file)
        if options:
            as_adapted(read_config(stock.config), new).dump(stock.config)
            try_detector(
                open_stock(stock.config, stock.checkpoint),
                image,
                derived.classes,
                f'{config} with these options',
                checkpoint,
            )
    for line in describe(cfg, new, derived, model):
        say(line)
    kept_images = with_memory(cfg) if settings.get('source') else ()
    if kept_images:
        say(
            f'{", ".join(kept_images)} of the source keep earlier images: a '
            'resumed training will not be the uninterrupted one bit for bit'
        )
    # For --resume.
    new.adapted_from = dict(checkpoint=str(checkpoint))
    if osp.isfile(checkpoint):
        new.adapted_from.sha256 = file_sha256(checkpoint)
    with claimed(file):
        stock = write_stock(cfg, checkpoint, start, trust)
        say(f'{start}: {stock.tensors} tensors of {checkpoint}')
        write_atomically(new.pretty_text.encode(), str(file))
    say(f'{file}: the config, to edit and to train with tools/train.py')


def as_adapted(stock: Config, new: Config) -> Config:
    """The config of the detector that was trained and measured.

    Options and edits may have changed more than weights, such as the mean of
    the pixels, a threshold of the test or the size of an image.

    Args:
        stock (Config): Of the detector as it came; it is changed.
        new (Config): Of the adaptation.
    """
    stock.model = to_stock_config(new).cfg.model
    steps = new.test_dataloader.dataset.pipeline
    if steps != measured_pipeline(derive(stock)):
        for leaf in leaves(stock.test_dataloader):
            leaf.pipeline = steps
    return stock


def need_free_folder(folder: Path) -> None:
    """Raises a UserError where something would be written over."""
    if (folder / 'adapt.py').exists():
        raise UserError(
            f'{folder} has an adaptation already: give another --work-dir, or '
            'go on with it with --resume.'
        )
    for stem in ('start', 'adapted'):
        for path in (folder / f'{stem}.py', folder / f'{stem}.pth'):
            if path.exists():
                raise UserError(
                    f'{path} would be written over: give another --work-dir.'
                )
    trained = [*folder.glob('iter_*.pth'), *folder.glob('epoch_*.pth')]
    if trained or last_checkpoint(str(folder)):
        raise UserError(
            f'{folder} has checkpoints of another training: give another '
            '--work-dir.'
        )


@contextmanager
def claimed(file: Path) -> Iterator[None]:
    """Makes a file that no other command makes; gone after an error.

    Raises:
        UserError: If another one was faster.
    """
    need_folder(str(file.parent), '--work-dir')
    try:
        file.touch(exist_ok=False)
    except FileExistsError:
        need_free_folder(file.parent)
    try:
        yield
    except BaseException:
        take_away(file)
        raise


def take_away(file: Path) -> None:
    """Removes what ``begin`` wrote."""
    for name in (file.name, 'start.pth', 'start.py'):
        (file.parent / name).unlink(missing_ok=True)


@contextmanager
def gone_if_nothing_came(file: Path) -> Iterator[None]:
    """Takes the config away where the training failed before a checkpoint.

    So the command can be given anew, with other options. No training is lost.
    """
    try:
        yield
    except Exception:
        if not last_checkpoint(str(file.parent)):
            take_away(file)
        raise


def built(new: Config, file: Path) -> nn.Module:
    """The model of a config, to train; what else it names was tried.

    Raises:
        UserError: If one of them cannot be built.
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
        if checkpoint:  # save_best, by_epoch and others are up to it
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
    need_training(new, file)
    return model.train()


def pipelines_of(new: Config) -> Iterator[list]:
    """Those of all datasets of a config, and of their wrappers."""
    for loader in dataloaders(new).values():
        for dataset in all_datasets(loader.dataset):
            yield dataset.get('pipeline') or []


def need_training(new: Config, file: Path) -> None:
    """Raises a UserError where options take what the training needs."""
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
    for kind in ('val', 'test'):
        parts = 'dataloader', 'evaluator', 'cfg'
        keys = [f'{kind}_{part}' for part in parts]
        given = sum(new.get(key) is not None for key in keys)
        if given not in ((0, 3) if kind == 'val' else (3,)):
            raise UserError(
                f'{file} was not written: leave {", ".join(keys)} in it'
                f'{", or take all three out" if kind == "val" else ""}.'
            )
    need_backends(new)


def need_shapes(student: nn.Module, detector: nn.Module, file: Path) -> None:
    """Raises a UserError if options change the detector's weights.

    They would begin with random numbers, and could not be exported.
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
