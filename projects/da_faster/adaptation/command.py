"""Adapts a detector from its config and checkpoint to its stock file."""

import copy
import os
import os.path as osp
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from mmengine.config import Config

from da_faster.apis import test, train
from da_faster.apis.detectors import images_below
from da_faster.apis.score_kinds import score_bounds, scores_are_sigmoids
from da_faster.checkpoint_conversion import convert_to_stock
from da_faster.config_files import read_config
from da_faster.config_tree import dataloaders, leaves
from da_faster.data_check import stop_if_fatal
from da_faster.engine.checkpoints.files import last_checkpoint
from da_faster.errors import UserError
from da_faster.files import file_sha256, write_atomically
from da_faster.listing import spread

from .beginning import as_adapted, begin, gone_if_nothing_came
from .blending import blended, need_share
from .derived import derive
from .loaders import measured_pipeline
from .overlap import folder_of
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
        source_free (bool): Whether it learned from no labelled image.
    """

    checkpoint: Path
    config: Path
    verdict: Verdict
    before: dict
    after: dict
    source_free: bool


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
        go_on(file, start, target, not skip_data_check, say)
    else:
        begin(
            config, checkpoint, target, paths[0], file, start, options,
            not skip_data_check, trust_checkpoint, say, settings,
        )  # fmt: skip
    new = read_config(file)
    if resume:
        need_same_start(new, checkpoint, file)
    share = new.get('blend', 1)
    need_share(share, file)
    new_here = nullcontext() if resume else gone_if_nothing_came(file)
    with new_here, kept(file):
        finished = train(
            str(file),
            work_dir=str(folder),
            resume='auto' if resume else None,
            data_check=False,  # before, or at the start
        )
    if not finished:
        return None
    last = last_checkpoint(str(folder))
    if last is None:
        raise UserError(
            f'{folder} has no checkpoint of the training: leave '
            'default_hooks.checkpoint.save_last as it was.'
        )
    stock = convert_to_stock(
        as_adapted(read_config(start.with_suffix('.py')), new),
        last,
        folder / 'adapted.pth',
        force=True,
        change=partial(blended, start, share),
    )
    before, after = {}, {}
    if new.get('test_evaluator'):
        before = measured_as_it_came(file, start)
        after = measured(file, stock.checkpoint)
    threshold = (new.model.get('pseudo_labels') or {}).get('threshold')
    if not isinstance(threshold, (int, float)):  # by class, or 'frequency'
        threshold = score_bounds(scores_are_sigmoids(new.model))[0]
    verdict = compare(
        start, stock.checkpoint, spread(paths, COMPARED), threshold
    )
    return Adapted(
        stock.checkpoint,
        stock.config,
        verdict,
        before,
        after,
        new.train_cfg.type == 'TargetLoop',
    )


def go_on(file: Path, start: Path, target: str, data_check: bool, say) -> None:
    """Checks what was begun. The folder may have been moved since."""
    if not file.exists():
        raise UserError(
            f'{file.parent} has no adaptation to go on with: leave --resume '
            'out.'
        )
    for needed in (start, start.with_suffix('.py')):
        if not needed.exists():
            raise UserError(
                f'{needed} is gone, without which nothing can be exported: '
                'copy it back, or begin anew in another --work-dir.'
            )
    cfg = read_config(file)
    needed = 'model', 'train_cfg', 'train_dataloader', 'test_dataloader'
    gone = [key for key in needed if not cfg.get(key)]
    if gone:
        raise UserError(f'{file} has no {", ".join(gone)}: complete it.')
    loaders = dataloaders(cfg)
    for leaf in leaves(loaders.get('target') or loaders['source']):
        own = folder_of(leaf)
        if osp.realpath(own) != osp.realpath(target):
            raise UserError(
                f'{file} adapts to {own} (from {os.getcwd()}), not to '
                f'{target}: give that one, or another --work-dir; or write '
                'where it is now into the file.'
            )
    if data_check:
        stop_if_fatal(
            cfg,
            mend=f'start the command where you started it first, or correct '
            f'the paths in {file}; --skip-data-check goes on anyway.',
        )
    # A Runner that was killed has left its own settings there.
    now = copy.deepcopy(cfg)
    if osp.realpath(cfg.get('load_from') or '') != osp.realpath(start):
        now.load_from = str(start)
    now.resume = False
    for key in ('work_dir', 'launcher'):
        now.pop(key, None)
    if now.to_dict() != cfg.to_dict():
        write_atomically(now.pretty_text.encode(), str(file))
    say(f'{file}: goes on as it says, whatever other options are given')


def need_same_start(new: Config, checkpoint: str, file: Path) -> None:
    """Raises a UserError for another checkpoint than that of the start.

    It may be gone by now.
    """
    began = new.get('adapted_from')
    if not began:
        return
    if osp.isfile(checkpoint):
        same = file_sha256(checkpoint) == began.get('sha256')
    else:
        same = '://' not in checkpoint or checkpoint == began.checkpoint
    if not same:
        raise UserError(
            f'{file} adapts {began.checkpoint}, which is not {checkpoint}: '
            'give that one, or another --work-dir.'
        )


def measured(file: Path, checkpoint: Path) -> dict:
    """Metrics of a stock checkpoint on the labelled target images."""
    with kept(file):
        return test(str(file), str(checkpoint), work_dir=str(file.parent))


def measured_as_it_came(file: Path, start: Path) -> dict:
    """Metrics of the detector that no option has changed.

    Its config lies beside the checkpoint ``start``. The test images and the
    evaluator are those of the adaptation, ``file``.
    """
    cfg, came = map(read_config, (file, start.with_suffix('.py')))
    cfg.model = came.model
    cfg.custom_hooks = []
    cfg.test_dataloader.dataset.pipeline = measured_pipeline(derive(came))
    # Runner writes the config into its work dir: not over the adaptation's.
    with TemporaryDirectory() as folder:
        config = Path(folder) / 'start.py'
        cfg.dump(config)
        return test(str(config), str(start), work_dir=folder)


@contextmanager
def kept(file: Path) -> Iterator[None]:
    """A config stays as it is, though Runner writes its own over it."""
    content = file.read_bytes()
    try:
        yield
    finally:
        write_atomically(content, str(file))
