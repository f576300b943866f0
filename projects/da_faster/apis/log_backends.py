"""Checks the backends of a training's log."""

import importlib.util

from mmdet.registry import VISBACKENDS
from mmengine.config import Config

from da_faster.errors import UserError

# Packages that MMEngine's backends import when the training starts.
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
    """Raises a UserError if a backend of the log cannot be made."""
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
