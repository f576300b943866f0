"""Turns the config of an adapted detector into one of stock MMDetection.

Some classes of the config are not OpenMMLab's. Each becomes its nearest
parent that is (DAFasterRCNN: FasterRCNN), without the keys that the parent
does not know. A class without such a parent, such as a hook, is left out. A
part of the model without such a parent, such as VGG16, is refused.
"""

import copy
import inspect

import mmdet.registry
from mmengine.config import Config
from mmengine.optim.optimizer import builder
from mmengine.registry import Registry
from mmengine.runner import Runner

from da_faster.config_files import enter_scope
from da_faster.config_tree import detector_of, has_teacher
from da_faster.errors import UserError

STOCK = ('mmdet', 'mmengine', 'mmcv', 'torch')
# Optimizers of other packages that MMEngine registers, such as Lion.
KNOWN_OPTIMIZERS = {
    name
    for key, names in vars(builder).items()
    if key.endswith('_OPTIMIZERS')
    for name in names
}


def custom_classes() -> dict[str, tuple[type, type | None]]:
    """Finds the registered classes that are not OpenMMLab's.

    Returns:
        dict: By name, the class and its nearest OpenMMLab parent; None for a
        class without such a parent.
    """
    found = {}
    for registry in vars(mmdet.registry).values():
        if not isinstance(registry, Registry):
            continue
        # A copy: the registry grows while names are looked up.
        for name, cls in list(registry.module_dict.items()):
            if (
                cls.__module__.split('.')[0] in STOCK
                or name in KNOWN_OPTIMIZERS
            ):
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
    """The arguments that a class takes and its parent does not."""
    return set(inspect.signature(cls).parameters).difference(
        inspect.signature(parent).parameters, ('args', 'kwargs')
    )


class StockConfig:
    """Leaves nothing but OpenMMLab's classes in a config.

    Args:
        cfg: The config; changed in place.

    Attributes:
        cfg: The changed config.
        changes: What was replaced or left out, in words.
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


def to_stock_config(cfg: Config) -> StockConfig:
    """Makes the stock config of a detector, out of a MeanTeacher.

    Args:
        cfg: A config; it is not changed.

    Raises:
        UserError: If a part of the model has no OpenMMLab parent.
    """
    cfg = copy.deepcopy(cfg)
    enter_scope(cfg)
    if has_teacher(cfg.model):
        cfg.model = detector_of(cfg.model)
        cfg.custom_hooks = [
            hook
            for hook in cfg.get('custom_hooks', [])
            if hook['type'] not in ('MeanTeacherHook', 'SelfTrainingHook')
        ]
    return StockConfig(cfg)
