"""Reads config files, and sets options that take effect."""

import contextlib
import difflib
import inspect
import os.path as osp
from collections.abc import Iterator, Mapping
from pathlib import Path

from mmengine.config import Config, ConfigDict, DictAction
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from .config_tree import dataloaders, detector_of
from .errors import UserError
from .package_configs import config_path

# What is looked up in a finished config: by Runner as arguments and later, by
# MMDetection's tools and by ours. (See looked_up() for the data_preprocessor.)
LOOKED_UP = {
    *inspect.signature(Runner).parameters.keys()
    - {'cfg', 'data_preprocessor'},
    'activation_checkpointing',
    'adaptation',
    'compile',
    'custom_imports',
    'efficient_conv_bn_eval',
    'expected_images',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'sync_bn',
    'tta_model',
    'tta_pipeline',
}
# Torch refuses these for a loader without workers.
OF_WORKERS = (
    'multiprocessing_context',
    'persistent_workers',
    'prefetch_factor',
    'timeout',
)


def enter_scope(cfg: Config) -> None:
    """Makes registries look where a config's names are from."""
    init_default_scope(cfg.get('default_scope') or 'mmdet')


def read_config(name: str | Path, options: Mapping | None = None) -> Config:
    """Reads a config file, or one that the package carries.

    Args:
        name: The file, or ``da_faster::NAME``.
        options: See :func:`set_options`.

    Returns:
        Config: Loaders without workers have no options of workers.

    Raises:
        UserError: If it is missing, or no config, or an option has no effect.
    """
    path = config_path(name)
    if not Path(path).is_file():
        raise UserError(f'config {path} does not exist; check the path.')
    try:
        cfg = Config.fromfile(path)
    except (OSError, SyntaxError) as error:
        # Other errors of the config's code keep their stack trace.
        raise UserError(f'{path} is not a config ({error}).') from error
    set_options(cfg, options or {}, path)
    for loader in dataloaders(cfg).values():
        if not loader.get('num_workers'):
            for key in OF_WORKERS:
                loader.pop(key, None)
    return cfg


def set_options(cfg: Config, options: Mapping, path: str) -> None:
    """Sets options (``--cfg-options``) in a config that has been read.

    Args:
        cfg (Config): The config; changed in place.
        options (Mapping): Values by dotted key. ``log_to`` adds backends of
            the log, by name, to ``visualizer.vis_backends``.
        path (str): The config's file, for sentences.

    Raises:
        UserError: If an option has no effect, or there is nothing of that
            kind to set.
    """
    options = dict(options)
    log_to = options.pop('log_to', None) or ()
    for key in options:
        if key.split('.')[0] not in looked_up(cfg):
            raise UserError(without_effect(cfg, path, key))
    try:
        cfg.merge_from_dict(options)
        for name in [log_to] if isinstance(log_to, str) else log_to:
            cfg.visualizer.vis_backends.append(ConfigDict(type=name))
    except (AttributeError, KeyError, TypeError) as error:
        names = [*options, *(['log_to'] if log_to else ())]
        raise UserError(
            f'--cfg-options {" ".join(names)}: {path} has nothing of that '
            f'kind to override ({error}).'
        ) from error


def looked_up(cfg: Config) -> set[str]:
    """The top-level names of a config that a training or a test reads.

    Runner reads ``data_preprocessor`` only if the model has none.
    """
    if 'data_preprocessor' in detector_of(cfg.get('model') or {}):
        return LOOKED_UP
    return LOOKED_UP | {'data_preprocessor'}


def without_effect(cfg: Config, path: str, option: str) -> str:
    """The sentence for an option without effect, with the keys that have one.

    Args:
        cfg (Config): The config, without the option.
        path (str): The config's file.
        option (str): A dotted key. Nothing looks up its first name.
    """
    start = f'--cfg-options {option} has no effect: '
    keys = keys_like(cfg, option)
    some = ', '.join(keys[:4]) + ' ...' * (len(keys) > 4)
    advice = f'set {some}.' if keys else ''
    variable, *rest = option.split('.')
    if variable in cfg:
        advice = advice or 'set what is computed from it.'
        return (
            f'{start}{path} has used its variable {variable} by then; {advice}'
        )
    near = difflib.get_close_matches(variable, looked_up(cfg), 1)
    meant = '.'.join([*near, *rest]) if near else ''
    if meant and (not advice or value_at(cfg, meant) is not None):
        advice = f'did you mean {meant}?'
    return f'{start}{path} has no {variable}; {advice or "check its name."}'


def keys_like(cfg: Config, option: str) -> list[str]:
    """Keys in effect with the last name of an option, then with its value."""
    value = value_at(cfg, option)
    # Small numbers are equal by chance.
    if isinstance(value, (int, float)) and value < 100:
        value = None
    name = option.split('.')[-1]
    namesakes, equals = [], []
    for key, other in flat({k: cfg[k] for k in cfg if k in looked_up(cfg)}):
        if key.split('.')[-1] == name:
            namesakes.append(key)
        elif value and value == other:
            equals.append(key)
    return namesakes + equals


def value_at(cfg, key: str):
    """The value of a dotted key; None where there is none."""
    for part in key.split('.'):
        try:
            cfg = cfg[int(part) if isinstance(cfg, (list, tuple)) else part]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return cfg


def flat(value, key: str = '') -> Iterator[tuple]:
    """(dotted key, value) of all that is nested in a dict or list."""
    items = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    for name, inner in items:
        inner_key = f'{key}.{name}' if key else str(name)
        yield inner_key, inner
        yield from flat(inner, inner_key)


def path_as_option(path: str) -> str:
    """Writes a path so that ``--cfg-options`` passes it on unchanged.

    MMEngine turns a text with commas into a list, so the relative path is
    tried, too. A path with spaces is quoted, as KeyValue reads it.

    Raises:
        UserError: If neither the path nor the relative path would arrive
            unchanged.
    """
    for text in (path, osp.relpath(path)):
        # _parse_iterable may raise at brackets; KeyValue refuses such texts.
        with contextlib.suppress(AssertionError, RecursionError):
            found = DictAction._parse_iterable(text)
            if ' ' in text:
                return repr(text)
            if found == text:
                return text
    raise UserError(
        f'{path} does not arrive in a config by --cfg-options, for its '
        'commas, quotes or brackets: give the folder another name.'
    )
