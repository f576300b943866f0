"""Domain-adaptive object detection on MMDetection.

Importing the package registers every module it defines, so a config needs one
line: ``custom_imports = dict(imports=['da_faster'])``.
"""

import io
import warnings
from contextlib import redirect_stdout


def _import_mmdet() -> None:
    """Imports MMDetection without two lines about optional packages.

    Its OneDL line says at every start that a package of its makers is missing,
    which nobody else can install, and that there is no faster_coco_eval.
    """
    with redirect_stdout(io.StringIO()) as said, warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'faster_coco_eval is not installed')
        import mmdet.datasets
        import mmdet.evaluation  # noqa: F401
    for line in said.getvalue().splitlines():
        if not line.startswith('Could not import OneDL'):
            print(line)


def _leave_apples_gpu() -> None:
    """Lets MMEngine compute on the CPU where it would choose MPS.

    mmcv has no NMS and no RoIAlign for it, so every detector would end there.
    """
    from mmengine.device import utils

    if utils.DEVICE == 'mps':
        utils.DEVICE = 'cpu'
        warnings.warn(
            "Apple's GPU lacks operations of mmcv: computing on the CPU.",
            stacklevel=3,
        )


_import_mmdet()
_leave_apples_gpu()

from . import datasets, engine, models, package_configs  # noqa: E402, F401

__version__ = '0.1.0'
