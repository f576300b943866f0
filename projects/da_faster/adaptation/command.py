"""Adapts a detector from its config and checkpoint to its stock file."""

import os.path as osp
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config

from da_faster.apis import test, train
from da_faster.apis.detectors import images_below, read_any_config, write_stock
from da_faster.checkpoint_conversion import convert_to_stock
from da_faster.data_check import stop_if_fatal
from da_faster.engine.checkpoints.files import write_atomically
from da_faster.errors import UserError

from .derived import derive
from .settings import adapt_config
from .verdict import Verdict, compare

COMPARED = 30  # images that the verdict looks at


class Adapted(NamedTuple):
    """What :func:`adapt` leaves behind.

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
        trust_checkpoint (bool): Load a checkpoint that may run code.
        say (callable): Gets a line to show.
        **settings: Of :func:`adapt_config`.

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
    if not resume:
        if file.exists():
            raise UserError(
                f'{folder} has an adaptation already: go on with --resume, or '
                'give another --work-dir.'
            )
        images_below(target)
        cfg = read_any_config(config)
        new = adapt_config(
            cfg, target, load_from=str(start), name=config, **settings
        )
        new.merge_from_dict(dict(options or {}))
        stop_if_fatal(new)
        for line in derive(cfg, config).describe():
            say(line)
        stock = write_stock(cfg, checkpoint, start, trust_checkpoint)
        say(f'{start}: {stock.tensors} tensors of {checkpoint}')
        write_atomically(new.pretty_text.encode(), str(file))
        say(f'{file}: the config, to edit and to train with tools/train.py')
    elif not file.exists():
        raise UserError(
            f'{folder} has no adaptation to go on with: leave --resume out.'
        )
    new = Config.fromfile(str(file))
    finished = train(
        str(file),
        work_dir=str(folder),
        resume='auto' if resume else None,
        data_check=False,  # before, or at the start
    )
    if not finished:
        return None
    last = (folder / 'last_checkpoint').read_text().strip()
    stock = convert_to_stock(
        start.with_suffix('.py'), last, folder / 'adapted.pth', force=True
    )
    before, after = {}, {}
    if new.get('test_evaluator'):
        before, after = (
            test(str(file), str(path), work_dir=str(folder))
            for path in (start, last)
        )
    paths = images_below(target)
    verdict = compare(
        stock.config,
        start,
        stock.checkpoint,
        paths[:: max(1, len(paths) // COMPARED)][:COMPARED],
        new.model.pseudo_labels.threshold,
    )
    return Adapted(stock.checkpoint, stock.config, verdict, before, after)
