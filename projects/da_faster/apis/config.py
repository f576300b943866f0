"""Makes the config of a Runner from a config file and options."""

import copy
import os.path as osp

from mmengine.config import Config

from da_faster.config_files import read_config, set_options
from da_faster.engine import set_up_cpu_launcher
from da_faster.errors import UserError


def name_of(config: Config | str) -> str:
    """Returns the name of a config, for messages."""
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
        config (Config or str): A config, which is not changed; or a config
            file; or ``da_faster::NAME`` for a config of the package.
        options (dict, optional): Values by dotted key (``--cfg-options``).
        work_dir (str, optional): The work dir. Defaults to the config's own
            work dir, or else to ``work_dirs/`` and the name of the file.
        launcher (str): ``none``, ``pytorch``, ``slurm`` or ``mpi``. Without
            an accelerator ``pytorch`` sets up gloo.

    Returns:
        Config: The config, with ``launcher`` and ``work_dir`` set.

    Raises:
        UserError: If the file does not exist, the launcher cannot run here,
            there is no work dir, or an option has no effect.
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
