"""Reading configs: ``da_faster::NAME``, and options that take effect.

Lets MMEngine read ``da_faster::NAME``, a config of the installed package.

MMEngine knows such names in ``_base_`` alone and for OpenMMLab's packages. It
would also look for all that such a base names in a registry ``da_faster``,
while the package registers with MMDetection.

MMEngine merges options into the finished config. A variable that the config's
files compute with, such as ``max_iters``, was used by then. So it is set while
they are read, behind each of its assignments.
"""

import ast
import contextlib
import difflib
import functools
import inspect
import os.path as osp
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

from mmengine.config import Config, ConfigDict, DictAction
from mmengine.config.utils import MODULE2PACKAGE, RemoveAssignFromAST
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from da_faster.errors import UserError

PREFIX = 'da_faster::'
PACKAGE = Path(__file__).resolve().parent


def path_as_option(path: str) -> str:
    """A path, or the way to it from here, that ``--cfg-options`` hands on.

    MMEngine makes lists of what has commas there. What has spaces becomes a
    literal, for KeyValue.

    Raises:
        UserError: If neither would arrive as it is.
    """
    for text in (path, osp.relpath(path)):
        # Of brackets it may raise, then KeyValue refuses the text.
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


def carried_root() -> Path:
    """The folder with ``configs/`` and ``tools/``.

    That is ``.mim`` of an installed wheel. An editable install is a checkout.
    """
    mim = PACKAGE / '.mim'
    return mim if mim.is_dir() else PACKAGE.parents[1]


def enter_scope(cfg: Config) -> None:
    """Has registries look where a config's names are from."""
    init_default_scope(cfg.get('default_scope') or 'mmdet')


def config_path(name: str | Path) -> str:
    """The file of ``da_faster::NAME``; any other name stays as it is."""
    name = str(name)
    if not name.startswith(PREFIX):
        return name
    return str(carried_root() / 'configs' / name[len(PREFIX) :])


def read_config(name: str | Path, options: Mapping | None = None) -> Config:
    """A config file, or one that the package carries.

    Args:
        name: The file, or ``da_faster::NAME``.
        options: Settings to override, by dotted name. Variables that the
            config computes with may be among them.

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
        # Whatever else its code raises is told with its stack trace.
        raise UserError(f'{path} is not a config ({error}).') from error
    options = dict(options or {})
    variables = by_variable(options)
    for variable, some in variables.items():
        if read_with(path, some) == effective(cfg) and any(
            value_at(cfg, key) != value for key, value in some.items()
        ):
            raise UserError(without_effect(cfg, path, variable, some))
    if variables:
        with setting(options):
            cfg = Config.fromfile(path)
    merge(cfg, options, path)
    for loader in (
        *(cfg.get(f'{role}_dataloader') for role in ('train', 'val', 'test')),
        (cfg.get('train_cfg') or {}).get('target_dataloader'),
    ):
        if loader and not loader.get('num_workers'):
            # torch refuses what concerns workers where there are none.
            for key in WORKERS:
                loader.pop(key, None)
    return cfg


def merge(cfg: Config, options: Mapping, path: str) -> None:
    """Sets options in a finished config, by dotted name.

    Raises:
        UserError: If there is nothing of that kind to set.
    """
    try:
        cfg.merge_from_dict(options)
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(
            f'--cfg-options {" ".join(map(str, options))}: {path} has nothing '
            f'of that kind to override ({error}).'
        ) from error


def override(cfg: Config, options: Mapping, path: str) -> None:
    """:func:`merge` where no file computes with variables any more.

    Raises:
        UserError: If an option has no effect.
    """
    for variable, some in by_variable(options).items():
        raise UserError(without_effect(cfg, path, variable, some))
    merge(cfg, options, path)


WORKERS = (
    'multiprocessing_context',
    'persistent_workers',
    'prefetch_factor',
    'timeout',
)


# What is looked up in a finished config: by Runner as arguments and later, by
# MMDetection's tools and by ours. (See effective() for the data_preprocessor.)
LOOKED_UP = {
    *inspect.signature(Runner).parameters.keys()
    - {'cfg', 'data_preprocessor'},
    'activation_checkpointing',
    'blend',
    'compile',
    'custom_imports',
    'efficient_conv_bn_eval',
    'expected_images',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'sync_bn',
    'target_labels',
    'tta_model',
    'tta_pipeline',
}


def by_variable(options: Mapping) -> dict[str, dict]:
    """The options for variables of the config's files, by variable."""
    found: dict[str, dict] = {}
    for key, value in options.items():
        name = key.split('.')[0]
        if name not in LOOKED_UP:
            found.setdefault(name, {})[key] = value
    return found


def effective(cfg: Config) -> dict:
    """What of a config is looked up.

    Runner takes data_preprocessor where the model has none.
    """
    names = LOOKED_UP
    model = cfg.get('model') or {}
    if 'data_preprocessor' not in model.get('detector', model):
        names = names | {'data_preprocessor'}
    return {k: v for k, v in cfg.to_dict().items() if k in names}


def read_with(path: str, options: dict) -> dict | None:
    """:func:`effective` with options set; None where that breaks it."""
    try:
        with setting(options):
            cfg = Config.fromfile(path)
        cfg.merge_from_dict(options)
        return effective(cfg)
    except Exception:  # whatever its code raises, it was not without effect
        return None


def value_at(cfg, key: str):
    """The value of a dotted key; None where there is none."""
    for part in key.split('.'):
        try:
            cfg = cfg[int(part) if isinstance(cfg, (list, tuple)) else part]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return cfg


def without_effect(
    cfg: Config, path: str, variable: str, options: dict
) -> str:
    """The sentence, with the keys to set instead."""
    option = next(iter(options))
    start = f'--cfg-options {option} has no effect: '
    value = value_at(cfg, option)
    name = option.rsplit('.', 1)[-1]
    keys = [
        key
        for key, other in flat(effective(cfg))
        if key.rsplit('.', 1)[-1] == name
        or (isinstance(value, str) and value == other)
    ]
    some = ', '.join(keys[:4]) + ' ...' * (len(keys) > 4)
    mend = f'set {some}.' if keys else ''
    if variable in cfg:
        start += f'nothing in {path} follows {variable}; '
        return start + (mend or 'set what it stands for.')
    near = difflib.get_close_matches(variable, [*cfg, *LOOKED_UP], 1)
    meant = f'{near[0]}{option[len(variable) :]}' if near else ''
    if meant and (not mend or value_at(cfg, meant) is not None):
        mend = f'did you mean {meant}?'
    return f'{start}{path} has no {variable}; {mend or "check its name."}'


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


class SetVariables(RemoveAssignFromAST):
    """Calls :func:`overridden` behind the assignments of some variables."""

    names: tuple = ()

    def visit_Module(self, module: ast.Module) -> ast.Module:
        self.generic_visit(module)
        body = []
        for statement in module.body:
            body.append(statement)
            stored = {
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name)
                and isinstance(node.ctx, ast.Store)
            }
            for name in sorted(stored.intersection(self.names)):
                # A loop inside a function may have a variable of that name.
                body += ast.parse(
                    f'if {name!r} in globals():\n'
                    f'    from {__name__} import overridden as __set\n'
                    f'    {name} = __set({name!r}, {name})\n'
                ).body
        module.body = body
        return ast.fix_missing_locations(module)


_setting: dict[str, dict] = {}


def setting(options: Mapping):
    """A context in which Config.fromfile sets variables of the files."""
    variables = by_variable(options)
    reader = type('Reader', (SetVariables,), dict(names=tuple(variables)))
    patches = contextlib.ExitStack()
    patches.enter_context(mock.patch.dict(_setting, variables, clear=True))
    patches.enter_context(
        mock.patch('mmengine.config.config.RemoveAssignFromAST', reader)
    )
    return patches


def overridden(name: str, value):
    """The value that the options give a variable of a config file."""
    options = _setting[name]
    if name in options:
        return options[name]
    holder = Config({name: value})
    try:
        holder.merge_from_dict(options)
    except (AttributeError, KeyError, TypeError):  # a base's, of another shape
        return value
    return ConfigDict(holder.to_dict())[name]


def register_configs() -> None:
    fromfile, get_cfg_path = Config.fromfile, Config._get_cfg_path

    @functools.wraps(fromfile)
    def fromfile_or_package(filename, *args, **kwargs):
        return fromfile(config_path(filename), *args, **kwargs)

    @functools.wraps(get_cfg_path)
    def get_path_or_package(cfg_path, filename):
        # An absolute path stays what it is, and has no scope.
        return get_cfg_path(config_path(cfg_path), filename)

    Config.fromfile = staticmethod(fromfile_or_package)
    Config._get_cfg_path = staticmethod(get_path_or_package)
    # For mmengine.hub.get_config('da_faster::FOLDER/NAME'), where the package
    # was installed from a wheel.
    MODULE2PACKAGE['da_faster'] = 'da_faster'


register_configs()
