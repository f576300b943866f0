"""Lets MMEngine read ``da_faster::NAME``, a config of the installed package.

MMEngine knows such names in ``_base_`` alone and for OpenMMLab's packages. It
would also look up all that such a base names in a registry ``da_faster``,
while the package registers with MMDetection.
"""

import functools
from pathlib import Path

from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE

PREFIX = 'da_faster::'
PACKAGE = Path(__file__).resolve().parent


def carried_root() -> Path:
    """The folder with ``configs/`` and ``tools/``.

    That is ``.mim`` of an installed wheel. An editable install is a checkout.
    """
    mim = PACKAGE / '.mim'
    return mim if mim.is_dir() else PACKAGE.parents[1]


def config_path(name: str | Path) -> str:
    """The file of ``da_faster::NAME``; any other name stays as it is."""
    name = str(name)
    if not name.startswith(PREFIX):
        return name
    return str(carried_root() / 'configs' / name[len(PREFIX) :])


def register_configs() -> None:
    """Makes ``Config.fromfile`` and ``_base_`` take ``da_faster::NAME``."""
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
