"""From a config file and options to the config of a Runner."""

import copy
import importlib.util
import os
import os.path as osp

from mmdet.registry import VISBACKENDS
from mmengine.config import Config

from da_faster.config_files import read_config, set_options
from da_faster.engine import set_up_cpu_launcher
from da_faster.errors import UserError


def check_file(path: str, what: str) -> None:
    """Raises a UserError where ``path`` is no file."""
    if not osp.isfile(path):
        raise UserError(f'{what} {path} does not exist; check the path.')


def make_folder(path: str, option: str) -> None:
    """Makes a folder. Raises a UserError where nothing can be written."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise UserError(
            f'{path} cannot be made ({error.strerror}): give another {option}.'
        ) from error
    if not os.access(path, os.W_OK):
        raise UserError(f'{path} cannot be written to: give another {option}.')


def check_possible_folder(path: str, option: str) -> None:
    """Raises a UserError where a folder could not be made; makes none."""
    above = osp.abspath(path)
    while not osp.lexists(above):
        above = osp.dirname(above)
    if not (osp.isdir(above) and os.access(above, os.W_OK)):
        raise UserError(
            f'{path} cannot be made, or not be written to: give another '
            f'{option}.'
        )


def make_output_folder(path: str, option: str) -> None:
    """Makes the folder of a file to write.

    Raises a UserError where the file cannot be written, before there is work
    that would be lost.
    """
    if osp.isdir(path):
        raise UserError(f'{path} is a folder: give another {option}.')
    make_folder(osp.dirname(path) or '.', option)


# What MMEngine's backends import when the training starts.
PACKAGES = dict(
    TensorboardVisBackend='tensorboard',
    WandbVisBackend='wandb',
    MLflowVisBackend='mlflow',
    ClearMLVisBackend='clearml',
    NeptuneVisBackend='neptune',
    DVCLiveVisBackend='dvclive',
    AimVisBackend='aim',
)


def check_backends(cfg: Config) -> None:
    """Raises a UserError where a log's backend cannot be made."""
    known = set()
    for backend in (cfg.get('visualizer') or {}).get('vis_backends') or ():
        name = backend['type']
        if backend.get('name', name) in known:
            raise UserError(
                f'{name} is a backend of the log twice: leave one out, or '
                'give each a name.'
            )
        known.add(backend.get('name', name))
        if VISBACKENDS.get(name) is None:
            raise UserError(
                f'{name} is not a backend of the log: MMEngine has '
                f'{", ".join(PACKAGES)}.'
            )
        package = PACKAGES.get(name)
        if package and not importlib.util.find_spec(package):
            raise UserError(
                f'{name} needs the package {package}, which is not '
                f'installed: pip install {package}, or leave it out.'
            )


def name_of(config: Config | str) -> str:
    """The name of a config, for messages."""
    if isinstance(config, Config):
        return config.filename or 'the config'
    return str(config)


def load_config(
    config: Config | str,
    options: dict | None = None,
    work_dir: str | None = None,
    launcher: str = 'none',
) -> Config:
    """Reads the config of a command, ready for ``Runner.from_cfg``.

    Args:
        config (Config or str): A config, which is not changed, or its file,
            or ``da_faster::`` and the name of one that the package carries.
        options (dict, optional): Values by dotted key (``--cfg-options``).
        work_dir (str, optional): Comes before the config's own work dir.
            Without either it is ``work_dirs/`` and the name of the file.
        launcher (str): ``none``, ``pytorch``, ``slurm`` or ``mpi``. Without
            an accelerator ``pytorch`` sets up gloo.

    Returns:
        Config: With ``launcher`` and ``work_dir`` set.

    Raises:
        UserError: If there is no such file, no such launcher here, or no
            work dir, or if an option has no effect.
    """
    name = name_of(config)
    if isinstance(config, Config):
        cfg = copy.deepcopy(config)
        set_options(cfg, options or {}, name)
    else:
        cfg = read_config(config, options)
    if 'launcher' not in (options or ()):
        cfg.launcher = launcher
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        if cfg.filename is None:
            raise UserError(f'{name} has no file, so give it a work_dir.')
        stem = osp.splitext(osp.basename(name))[0]
        cfg.work_dir = osp.join('./work_dirs', stem)
    set_up_cpu_launcher(cfg)
    return cfg
