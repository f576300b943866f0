"""Turns an adapted detector into a stock MMDetection one.

MMDetection loads and trains the result where da_faster is not installed, with
the same predictions. Domain classifiers, optimizer, schedulers and logs are
left out.

Some classes of the config are not OpenMMLab's. Each becomes its nearest
parent that is (DAFasterRCNN: FasterRCNN), without the keys that the parent
does not know. What has no such parent, such as a hook, is left out. A part of
the model without one is refused: VGG16 stays here.

A checkpoint with averaged weights gives these, as in tools/test.py: EMAHook
saves them as `state_dict` and the others as `ema_state_dict`. Of a MeanTeacher
the detector within is written, with the teacher's weights or the student's.
"""

import copy
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import mmdet.registry
import torch
from mmengine.config import Config
from mmengine.registry import Registry, init_default_scope
from mmengine.runner import Runner
from torch import Tensor

from da_faster.engine.checkpoints.loading import allow_list
from da_faster.errors import UserError

from .files import load_config, name_some, need_free, read, write

STOCK = ('mmdet', 'mmengine', 'mmcv', 'torch')


def custom_classes() -> dict[str, tuple[type, type | None]]:
    """Finds the registered classes that are not OpenMMLab's.

    Returns:
        Maps the name of each to the class and its nearest OpenMMLab parent,
        None where it has no such parent.
    """
    found = {}
    for registry in vars(mmdet.registry).values():
        if not isinstance(registry, Registry):
            continue
        # A copy: looking a name up imports what the registry still lacks.
        for name, cls in list(registry.module_dict.items()):
            if cls.__module__.split('.')[0] in STOCK:
                continue
            parents = (
                [
                    base
                    for base in inspect.getmro(cls)[1:]
                    if base.__module__.split('.')[0] in STOCK
                    and registry.get(base.__name__) is base
                ]
                if inspect.isclass(cls)
                else []
            )
            found[name] = (cls, parents[0] if parents else None)
    return found


def own_keys(cls: type, parent: type) -> set[str]:
    """Names the arguments that a class takes and its parent does not."""
    return set(inspect.signature(cls).parameters).difference(
        inspect.signature(parent).parameters, ('args', 'kwargs')
    )


class StockConfig:
    """Leaves nothing but OpenMMLab's classes in a config.

    Args:
        cfg: The config; it is changed in place.

    Attributes:
        cfg: The changed config.
        changes: Says, for people, what was replaced or left out.
        dropped_parts: Names of the model's parts that were left out.

    Raises:
        UserError: If a part of the model has no OpenMMLab parent.
    """

    def __init__(self, cfg: Config) -> None:
        self.custom = custom_classes()
        self.changes: list[str] = []
        self.dropped_parts: set[str] = set()
        if self._is_custom(cfg.model):
            self.dropped_parts = own_keys(*self.custom[cfg.model.type])
        self._in_model = True
        self._visit(cfg.model)
        self._in_model = False
        cfg.pop('custom_imports', None)
        used = inspect.signature(Runner).parameters
        for key in list(cfg):
            value = cfg[key]
            # What the Runner does not take is a variable of the config.
            spare = key not in used and self._mentions_custom(value)
            if spare or self._left_out(value):
                cfg.pop(key)
            else:
                self._visit(value)
        self.cfg = cfg

    def _is_custom(self, value) -> bool:
        return isinstance(value, dict) and value.get('type') in self.custom

    def _mentions_custom(self, value) -> bool:
        if isinstance(value, dict):
            return self._is_custom(value) or any(
                map(self._mentions_custom, value.values())
            )
        return isinstance(value, (list, tuple)) and any(
            map(self._mentions_custom, value)
        )

    def _left_out(self, value) -> bool:
        """Whether to leave a value out; if so, notes it."""
        if not self._is_custom(value) or self.custom[value['type']][1]:
            return False
        if self._in_model:
            raise UserError(
                f'{value["type"]}, a part of the model, has no '
                'counterpart in MMDetection: there is no stock '
                'config.'
            )
        self._note(f'{value["type"]} left out')
        return True

    def _note(self, change: str) -> None:
        if change not in self.changes:
            self.changes.append(change)

    def _visit(self, value) -> None:
        if self._is_custom(value):
            cls, parent = self.custom[value['type']]
            for key in own_keys(cls, parent):
                value.pop(key, None)
            value['type'] = parent.__name__
            self._note(f'{cls.__name__} -> {parent.__name__}')
        if isinstance(value, dict):
            for key in [k for k, v in value.items() if self._left_out(v)]:
                value.pop(key)
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            if isinstance(value, list):
                value[:] = [item for item in value if not self._left_out(item)]
            for item in value:
                self._visit(item)


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


def to_stock_config(cfg: Config) -> StockConfig:
    """The config of the stock detector, also of one within a MeanTeacher.

    Args:
        cfg: It stays as it is.

    Raises:
        UserError: If a part of the model has no OpenMMLab parent.
    """
    cfg = copy.deepcopy(cfg)
    init_default_scope(cfg.get('default_scope') or 'mmdet')
    if 'detector' in cfg.model:
        cfg.model = dict(
            cfg.model.detector, data_preprocessor=cfg.model.data_preprocessor
        )
        cfg.custom_hooks = [
            hook
            for hook in cfg.get('custom_hooks', [])
            if hook['type'] not in ('MeanTeacherHook', 'SelfTrainingHook')
        ]
    return StockConfig(cfg)


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
    if student and 'detector' not in cfg.model:
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
            f'({type(error).__name__}: {" ".join(str(error).split())}).'
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
