"""Configs whose types are classes, as MMDetection's newer ones have them."""

import inspect

import mmdet.registry
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.utils import get_object_from_string

OPENMMLAB = ('mmdet', 'mmcv', 'mmengine')


def with_type_names(cfg: Config) -> Config:
    """A config with the name of each type, in place of its class or path.

    Args:
        cfg (Config): With types such as ``RetinaNet`` (the class),
            ``'mmdet.models.RetinaNet'`` (as MMEngine writes it) or
            ``'mmdet.RetinaNet'``. It stays as it is.
    """
    register_all_modules(init_default_scope=False)
    return Config(rename(cfg.to_dict()), filename=cfg.filename)


def rename(value, key: str = ''):
    """The same value; only what is called ``type`` has another name."""
    if isinstance(value, dict):
        return {k: rename(item, k) for k, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(rename(item) for item in value)
    return type_name(value) if key == 'type' else value


def type_name(kind):
    """Under which name a type is registered; others stay what they are."""
    found = kind
    if isinstance(kind, str):
        package, _, name = kind.partition('.')
        if package not in (*OPENMMLAB, 'torch') or not name:
            return kind
        found = get_object_from_string(kind)
        if found is None and package in OPENMMLAB and '.' not in name:
            return name  # mmdet.RetinaNet
    if not (inspect.isclass(found) or inspect.isfunction(found)):
        return kind
    for registry in vars(mmdet.registry).values():
        if isinstance(registry, Registry):
            if registry.get(found.__name__) is found:
                return found.__name__
    return f'{found.__module__}.{found.__qualname__}'
