"""Reads any config of MMDetection and brings it into one form."""

import inspect
from pathlib import Path

import mmdet.registry
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import Registry
from mmengine.utils import get_object_from_string

from da_faster.config_files import read_config
from da_faster.config_tree import detector_of
from da_faster.errors import UserError, describe_error

OPENMMLAB = ('mmdet', 'mmcv', 'mmengine')


def read_any_config(name: str, options: dict | None = None) -> Config:
    """Reads a config file, a config of this package, or one of MMDetection.

    Args:
        name (str): A path, ``da_faster::NAME`` or ``mmdet::NAME``.
        options (dict, optional): Overrides by dotted key, for the first two.

    Raises:
        UserError: If there is no such config.
    """
    try:
        if name.startswith('mmdet::'):
            return read_named(name)
        return read_config(name, options)
    except ImportError as error:
        raise UserError(
            f'{name} needs a package that is not installed '
            f'({describe_error(error)[:200]}).'
        ) from error


def read_named(name: str) -> Config:
    """Reads ``mmdet::FOLDER/NAME`` of the installed MMDetection."""
    path = name if name.endswith('.py') else f'{name}.py'
    try:
        return get_config(path)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        # MMEngine does not take folders such as gn+ws and legacy_1.x.
        carried = Path(mmdet.__file__).parent / '.mim' / 'configs'
        file = carried / path.partition('::')[2]
        if file.is_file():
            return read_config(file)
        raise UserError(
            f'MMDetection carries no config {name} ({error}).'
        ) from error


def normalize(cfg: Config) -> Config:
    """Brings a config into the form that all of this package reads.

    Each ``type`` becomes a registered name. MMDetection's newer configs have
    classes there, and configs that MMEngine writes have import paths. A
    ``data_preprocessor`` beside the model moves into the detector, as Runner
    moves it; a detector with one of its own keeps that.

    Args:
        cfg (Config): A config of a detector; it is not changed.
    """
    register_all_modules(init_default_scope=False)
    new = Config(with_type_names(cfg.to_dict()))
    preprocessor = new.get('data_preprocessor')
    if preprocessor and new.get('model'):
        detector_of(new.model).setdefault('data_preprocessor', preprocessor)
    return new


def with_type_names(value, key: str = ''):
    """Copies a nested part of a config; its types become registered names."""
    if isinstance(value, dict):
        return {k: with_type_names(item, k) for k, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(with_type_names(item) for item in value)
    return type_name(value) if key == 'type' else value


def type_name(kind):
    """Returns the registered name of a type; any other type unchanged."""
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
