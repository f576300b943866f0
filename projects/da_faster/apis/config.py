"""From a config file and options to the config of a Runner."""

import importlib.util
import os
import os.path as osp

from mmdet.registry import VISBACKENDS
from mmengine.config import Config

from da_faster.config_files import read_config
from da_faster.engine import set_up_cpu_launcher
from da_faster.errors import UserError


def need_file(path: str, what: str) -> None:
    """Raises a UserError where ``path`` is no file."""
    if not osp.isfile(path):
        raise UserError(f'{what} {path} does not exist; check the path.')


def need_folder(path: str, option: str) -> None:
    """Makes a folder. Raises a UserError where nothing can be written."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise UserError(
            f'{path} cannot be made ({error.strerror}): give another {option}.'
        ) from error
    if not os.access(path, os.W_OK):
        raise UserError(f'{path} cannot be written to: give another {option}.')


def need_possible_folder(path: str, option: str) -> None:
    """Raises a UserError where a folder could not be made; makes none."""
    above = osp.abspath(path)
    while not osp.lexists(above):
        above = osp.dirname(above)
    if not (osp.isdir(above) and os.access(above, os.W_OK)):
        raise UserError(
            f'{path} cannot be made, or not be written to: give another '
            f'{option}.'
        )


def need_output(path: str, option: str) -> None:
    """Makes the folder of a file to write.

    Raises a UserError where the file cannot be written, before there is work
    that would be lost.
    """
    if osp.isdir(path):
        raise UserError(f'{path} is a folder: give another {option}.')
    need_folder(osp.dirname(path) or '.', option)


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


def need_backends(cfg: Config) -> None:
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


def load_config(
    path: str,
    options: dict | None = None,
    work_dir: str | None = None,
    launcher: str = 'none',
) -> Config:
    """The config of a command, ready for ``Runner.from_cfg``.

    Args:
        path (str): The config file, or ``da_faster::`` and the name of one
            that the package carries.
        options (dict, optional): Values by dotted key (``--cfg-options``).
        work_dir (str, optional): Comes before the config's own work dir.
            Without either it is ``work_dirs/`` and the config's name.
        launcher (str): ``none``, ``pytorch``, ``slurm`` or ``mpi``. Without
            an accelerator ``pytorch`` sets up gloo.

    Returns:
        Config: With ``launcher`` and ``work_dir`` set.

    Raises:
        UserError: If there is no such file, or no such launcher here, or an
            option has no effect.
    """
    cfg = read_config(path, options)
    if 'launcher' not in (options or ()):
        cfg.launcher = launcher
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        name = osp.splitext(osp.basename(path))[0]
        cfg.work_dir = osp.join('./work_dirs', name)
    set_up_cpu_launcher(cfg)
    return cfg
