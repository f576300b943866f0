"""Adapts a detector from its config and checkpoint to its stock file."""

import copy
import os
import os.path as osp
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import NamedTuple

from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from da_faster.apis import test, train
from da_faster.apis.detectors import (
    images_below,
    load_detector,
    read_any_config,
    try_detector,
    write_stock,
)
from da_faster.apis.score_kinds import score_bounds, scores_are_sigmoids
from da_faster.checkpoint_conversion import convert_to_stock
from da_faster.data_check import leaves, stop_if_fatal
from da_faster.engine.checkpoints.files import pointed_at, write_atomically
from da_faster.errors import UserError
from da_faster.listing import spread
from da_faster.package_configs import override

from .blending import blended, need_share
from .derived import derive, with_memory
from .description import describe
from .overlap import folder_of, need_other_images
from .settings import adapt_config
from .verdict import Verdict, compare

COMPARED = 30  # images that the verdict looks at


class Adapted(NamedTuple):
    """What ``adapt`` leaves behind.

    Attributes:
        checkpoint (Path): Weights for stock MMDetection.
        config (Path): Their config.
        verdict (Verdict): What can be said without labels.
        before (dict): Metrics of the detector as it came; empty without
            labels.
        after (dict): Those of the adapted one.
    """

    checkpoint: Path
    config: Path
    verdict: Verdict
    before: dict
    after: dict


def adapt(
    config: str,
    checkpoint: str,
    target: str,
    work_dir: str | None = None,
    options: Mapping | None = None,
    resume: bool = False,
    skip_data_check: bool = False,
    trust_checkpoint: bool = False,
    say=print,
    **settings,
) -> Adapted | None:
    """Adapts a detector to a folder of images, as ``tools/adapt.py``.

    Args:
        config (str): A config file, or ``mmdet::NAME`` or ``da_faster::NAME``.
        checkpoint (str): Its checkpoint, a file or a URL.
        target (str): A folder of images.
        work_dir (str, optional): Where to. Default: below ``work_dirs/``, by
            the names of the config and of the folder.
        options (dict, optional): Overrides of the adaptation's config, by
            dotted key.
        resume (bool): Go on with an adaptation that was interrupted.
        skip_data_check (bool): Go on whatever the data check finds.
        trust_checkpoint (bool): Load a checkpoint that may run code.
        say (callable): Gets a line to show.
        **settings: Of ``adapt_config``.

    Returns:
        Adapted: None where the training was asked to leave before its end.

    Raises:
        UserError: If something given cannot be used. Nothing of an earlier
            adaptation is replaced.
    """
    name = Path(target).resolve().name
    folder = Path(
        work_dir or osp.join('work_dirs', f'{Path(config).stem}_to_{name}')
    )
    start, file = folder / 'start.pth', folder / 'adapt.py'
    paths = images_below(target)
    if resume:
        go_on(file, start, target, say)
    else:
        begin(
            config, checkpoint, target, paths[0], file, start, options,
            not skip_data_check, trust_checkpoint, say, settings,
        )  # fmt: skip
    new = Config.fromfile(str(file))
    share = new.get('blend', 1)
    need_share(share, file)
    new_here = nullcontext() if resume else gone_if_nothing_came(file, start)
    with new_here, kept(file):
        finished = train(
            str(file),
            work_dir=str(folder),
            resume='auto' if resume else None,
            data_check=False,  # before, or at the start
        )
    if not finished:
        return None
    last = pointed_at(str(folder))
    if last is None:
        raise UserError(
            f'{folder} has no checkpoint of the training: leave '
            'default_hooks.checkpoint.save_last as it was.'
        )
    stock = convert_to_stock(
        start.with_suffix('.py'),
        last,
        folder / 'adapted.pth',
        force=True,
        change=partial(blended, start, share),
    )
    before, after = {}, {}
    if new.get('test_evaluator'):
        before = measured(file, start)
        after = measured(file, stock.checkpoint)
    threshold = new.model.pseudo_labels.get('threshold')
    if not isinstance(threshold, (int, float)):  # by class, or 'frequency'
        threshold = score_bounds(scores_are_sigmoids(new.model))[0]
    verdict = compare(
        stock.config,
        start,
        stock.checkpoint,
        spread(paths, COMPARED),
        threshold,
    )
    return Adapted(stock.checkpoint, stock.config, verdict, before, after)


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
    need_free_folder(file, start, config, checkpoint)
    cfg = read_any_config(config)
    new = adapt_config(
        cfg, target, load_from=str(start), name=config, **settings
    )
    override(new, dict(options or {}), str(file))
    need_share(new.blend, file)
    if data_check:
        stop_if_fatal(new, mend='--skip-data-check goes on nevertheless.')
        stop_if_fatal(
            new,
            ['target'],
            mend='nothing was written.',
            read_images=True,
        )
    shared = need_other_images(cfg, target, config)
    if shared:
        say(f'{shared} images of {target} are training images of {config}')
    derived = derive(cfg, config)
    try_detector(
        load_detector(cfg, checkpoint, trust),
        image,
        derived.classes,
        config,
        checkpoint,
    )
    for line in describe(cfg, new, derived, built(new, file)):
        say(line)
    kept_images = with_memory(cfg) if settings.get('source') else ()
    if kept_images:
        say(
            f'{", ".join(kept_images)} of the source keep earlier images: a '
            'resumed training will not be the uninterrupted one bit for bit'
        )
    stock = write_stock(cfg, checkpoint, start, trust)
    say(f'{start}: {stock.tensors} tensors of {checkpoint}')
    write_atomically(new.pretty_text.encode(), str(file))
    say(f'{file}: the config, to edit and to train with tools/train.py')


def need_free_folder(
    file: Path, start: Path, config: str, checkpoint: str
) -> None:
    """Raises a UserError where something would be written over."""
    folder = file.parent
    if file.exists():
        raise UserError(
            f'{folder} has an adaptation already: go on with --resume, or '
            'give another --work-dir.'
        )
    own = {
        osp.realpath(folder / f'{stem}{ending}')
        for stem in ('start', 'adapted', 'adapt')
        for ending in ('.pth', '.py')
    }
    for given in (checkpoint, config):
        if osp.realpath(given) in own:
            raise UserError(
                f'{given} would be written over: give another --work-dir.'
            )
    if pointed_at(str(folder)) or any(
        path
        for kind in ('iter_*.pth', 'epoch_*.pth')
        for path in folder.glob(kind)
    ):
        raise UserError(
            f'{folder} has checkpoints of another training: give another '
            '--work-dir.'
        )


def built(new: Config, file: Path) -> nn.Module:
    """The model of a config, its optimizer tried, to train.

    Raises:
        UserError: If either cannot be built.
    """
    init_default_scope(new.get('default_scope', 'mmdet'))
    try:
        model = MODELS.build(copy.deepcopy(new.model))
        build_optim_wrapper(model, copy.deepcopy(new.optim_wrapper))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f'{file} was not written, as nothing can be built of it: {error}.'
        ) from error
    return model.train()


@contextmanager
def gone_if_nothing_came(file: Path, start: Path) -> Iterator[None]:
    """Takes the config away after an error before the first checkpoint.

    So the command can be given anew, with other options.
    """
    try:
        yield
    except Exception:
        if not pointed_at(str(file.parent)):
            for path in (file, start, start.with_suffix('.py')):
                path.unlink(missing_ok=True)
        raise


def go_on(file: Path, start: Path, target: str, say) -> None:
    """Checks what was begun. The folder may have been moved since."""
    if not file.exists():
        raise UserError(
            f'{file.parent} has no adaptation to go on with: leave --resume '
            'out.'
        )
    cfg = Config.fromfile(str(file))
    loader = cfg.train_cfg.get('target_dataloader') or cfg.train_dataloader
    for leaf in leaves(loader.dataset):
        own = folder_of(leaf)
        if osp.realpath(own) != osp.realpath(target):
            raise UserError(
                f'{file} adapts to {own} (from {os.getcwd()}), not to '
                f'{target}: give that one, or another --work-dir; or write '
                'where it is now into the file.'
            )
    # A Runner that was killed has left its own settings there.
    cfg.update(load_from=str(start), resume=False)
    for key in ('work_dir', 'launcher'):
        cfg.pop(key, None)
    write_atomically(cfg.pretty_text.encode(), str(file))
    say(f'{file}: goes on as it says, whatever other options are given')


def measured(file: Path, checkpoint: Path) -> dict:
    """Metrics of a stock checkpoint on the labelled target images."""
    with kept(file):
        return test(str(file), str(checkpoint), work_dir=str(file.parent))


@contextmanager
def kept(file: Path) -> Iterator[None]:
    """A config stays as it is, though Runner writes its own over it."""
    content = file.read_bytes()
    try:
        yield
    finally:
        write_atomically(content, str(file))
