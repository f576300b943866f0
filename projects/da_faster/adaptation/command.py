"""Adapts a detector from its config and checkpoint to its stock file."""

import os.path as osp
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import init_default_scope
from torch.hub import get_dir, load_state_dict_from_url

from da_faster.apis import test, train
from da_faster.checkpoint_conversion import convert_to_stock
from da_faster.data_check import check, stop_if_fatal
from da_faster.engine.checkpoints.files import write_atomically
from da_faster.errors import UserError
from da_faster.package_configs import read_config

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
    if not osp.isdir(target):
        raise UserError(f'{target} is not a folder; give --target a folder.')
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
        cfg = read_any_config(config)
        new = adapt_config(
            cfg, target, load_from=str(start), name=config, **settings
        )
        new.merge_from_dict(dict(options or {}))
        check_target(new, target)
        for line in derive(cfg, config).describe():
            say(line)
        stock = start_stock(cfg, checkpoint, start, trust_checkpoint)
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
    verdict = compare(
        str(stock.config),
        str(start),
        str(stock.checkpoint),
        some_images(new),
        new.model.pseudo_labels.threshold,
        device='cuda:0' if torch.cuda.is_available() else 'cpu',
    )
    return Adapted(stock.checkpoint, stock.config, verdict, before, after)


def read_any_config(name: str) -> Config:
    """A config file, one of this package, or one that MMDetection carries.

    Raises:
        UserError: If there is none.
    """
    if not name.startswith('mmdet::'):
        return read_config(name)
    path = name if name.endswith('.py') else f'{name}.py'
    try:
        return get_config(path)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f'MMDetection carries no config {name} ({error}).'
        ) from error


def start_stock(cfg: Config, checkpoint: str, start: Path, trust: bool):
    """Writes the detector as it came, as a stock one that fits its config."""
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    if '://' in checkpoint:
        try:
            load_state_dict_from_url(checkpoint, map_location='cpu')
        except OSError as error:
            raise UserError(
                f'{checkpoint} could not be downloaded ({error}).'
            ) from error
        checkpoint = osp.join(
            get_dir(), 'checkpoints', osp.basename(checkpoint)
        )
    return convert_to_stock(cfg, checkpoint, start, force=True, trust=trust)


def check_target(cfg: Config, target: str) -> None:
    """Stops where the data of the new config cannot be used.

    Raises:
        UserError: In one sentence.
    """
    stop_if_fatal(cfg)
    if not any(part.role == 'target' for part in check(cfg).parts):
        raise UserError(f'{target} could not be read as a folder of images.')


def some_images(cfg: Config, number: int = COMPARED) -> list[str]:
    """Target images, spread over the folder."""
    (part,) = (p for p in check(cfg).parts if p.role == 'target')
    step = max(1, len(part.images) // number)
    return part.images[::step][:number]
