"""Turns an adapted detector into a stock MMDetection one.

MMDetection loads and trains the result where da_faster is not installed, with
the same predictions. Domain classifiers, optimizer, schedulers and logs are
left out.

A checkpoint with averaged weights gives these, as in tools/test.py: EMAHook
saves them as `state_dict` and the others as `ema_state_dict`. Of a MeanTeacher
the detector within is written, with the teacher's weights or the student's.
"""

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import mmdet.registry
import torch
from mmengine.config import Config
from torch import Tensor

from da_faster.config_tree import has_teacher
from da_faster.engine.checkpoints.loading import allow_list
from da_faster.errors import UserError, describe_error

from .files import load_config, name_some, need_free, read, write
from .stock_config import to_stock_config


def stock_state(
    checkpoint: dict,
    stock: dict[str, Tensor],
    dropped_parts: set[str],
    path: Path,
    branch: str = '',
) -> dict[str, Tensor]:
    """Picks the stock detector's weights from a checkpoint.

    Args:
        checkpoint: The content of the file.
        stock: The state of the stock model.
        dropped_parts: Parts of the model whose weights are left out.
        path: The file, for messages.
        branch: What the names of the weights begin with; others are left out,
            unless none begins so.

    Raises:
        UserError: If a weight is missing, unknown or of another shape.
    """
    state = checkpoint.get('state_dict', checkpoint)
    # MMEngine, too, drops the prefix of a wrapped model.
    state = {re.sub(r'^module\.', '', name): x for name, x in state.items()}
    state = {
        name.removeprefix(branch): x
        for name, x in state.items()
        if name.startswith(branch)
    } or state
    state = {
        name: x
        for name, x in state.items()
        if name in stock or name.split('.')[0] not in dropped_parts
    }
    wrong = [
        name
        for name, x in state.items()
        if name in stock
        and (not isinstance(x, Tensor) or x.shape != stock[name].shape)
    ]
    problems = [
        name_some('missing', set(stock).difference(state)),
        name_some('unknown', set(state).difference(stock)),
        name_some('of another shape', wrong),
    ]
    if any(problems):
        raise UserError(
            f'{path} does not fit the config; '
            f'{"; ".join(filter(None, problems))}.'
        )
    return state


class StockDetector(NamedTuple):
    """What :func:`convert_to_stock` wrote.

    Attributes:
        checkpoint: The file of the weights.
        config: The config file.
        tensors: How many tensors the checkpoint holds.
        changes: Says, for people, what was replaced or left out.
    """

    checkpoint: Path
    config: Path
    tensors: int
    changes: list[str]


def convert_to_stock(
    config: Path | Config,
    checkpoint: Path,
    out: Path,
    cfg_options: Mapping | None = None,
    force: bool = False,
    trust: bool = False,
    student: bool = False,
    classes: Sequence[str] | None = None,
    change: Callable[[dict[str, Tensor]], dict[str, Tensor]] | None = None,
) -> StockDetector:
    """Writes the stock config and weights of an adapted detector.

    Args:
        config: The config of the adapted detector, or its file. One without a
            teacher also fits the checkpoint of one with.
        checkpoint: Its checkpoint.
        out: ``OUT.pth``, beside which ``OUT.py`` is written, or a folder,
            where both get the name of the config.
        cfg_options: Settings of the config to override, by dotted name.
        force: Replace an earlier result.
        trust: Unpickle the checkpoint, which can run any code in it.
        student: Of a student and a teacher, take the student.
        classes: Names for a checkpoint that has none. Else MMDetection
            would take COCO's.
        change: Gets the weights, returns those to write.

    Raises:
        UserError: If an input is missing or does not fit, or if a result
            exists or cannot be written. Nothing is written then.
    """
    checkpoint, out = map(Path, (checkpoint, out))
    if out.suffix != '.pth':
        out = out / f'{Path(config).stem}.pth'
    need_free([out, out.with_suffix('.py')], force)
    cfg = config
    if not isinstance(config, Config):
        cfg = load_config(Path(config), cfg_options)
    if student and not has_teacher(cfg.model):
        raise UserError(
            f'{cfg.filename or "the config"} has no student, as it is of no '
            'mean teacher: leave --student out.'
        )
    stock = to_stock_config(cfg)
    cfg = stock.cfg
    # Some detectors write into their config.
    try:
        model = mmdet.registry.MODELS.build(copy.deepcopy(cfg.model))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f'{cfg.filename or "the config"}: its model cannot be built '
            f'({describe_error(error)}).'
        ) from error
    content = read(checkpoint, trust, allow_list())
    branch = 'student.' if student else 'teacher.'
    state = stock_state(
        content, model.state_dict(), stock.dropped_parts, checkpoint, branch
    )
    if change:
        state = change(state)
    parts = content.get('state_dict', content)
    of_two = any(name.startswith(branch) for name in parts)
    model.load_state_dict(state, strict=True)
    # DetInferencer takes the config from here if it is given none.
    meta = dict(content.get('meta') or {}, cfg=cfg.pretty_text)
    # Some say CLASSES, there or as a part of meta itself.
    named = [str(key).lower() for key in meta.get('dataset_meta') or meta]
    if classes and 'classes' not in named:
        meta['dataset_meta'] = dict(classes=tuple(classes))
    result = dict(state_dict=state, meta=meta)
    write(
        {
            out: lambda path: torch.save(result, path),
            out.with_suffix('.py'): lambda path: path.write_text(meta['cfg']),
        },
        force,
    )
    changes = [f'the {branch[:-1]} alone'] if of_two else []
    return StockDetector(
        out, out.with_suffix('.py'), len(state), changes + stock.changes
    )
