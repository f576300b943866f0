"""Packaging of da_faster: `pip install -e .`."""
import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def version() -> str:
    text = (ROOT / 'projects/da_faster/__init__.py').read_text()
    found = re.search(r"^__version__ = '([^']+)'", text, re.MULTILINE)
    if not found:
        raise RuntimeError('projects/da_faster/__init__.py defines no '
                           '__version__')
    return found.group(1)


# PyTorch and the OpenMMLab packages are deliberately not among
# `install_requires`. Two lines of distributions provide the import packages
# mmengine, mmcv and mmdet; a requirement on either would install it over the
# other, and would replace an mmcv built for the machine's GPU. They are
# installed first (see README.md) or asked for by name: `.[onedl]`.
setup(
    name='da_faster',
    version=version(),
    description='Domain-adaptive object detection on MMDetection',
    package_dir={'': 'projects'},
    packages=find_packages('projects', include=['da_faster', 'da_faster.*']),
    python_requires='>=3.10,<3.13',
    install_requires=['numpy>=1.22'],
    extras_require={
        'onedl': [
            'torch>=2.4',
            'onedl-mmengine>=0.10.10,<0.11',
            'onedl-mmcv>=2.3,<2.4',
            'onedl-mmdetection>=3.5,<3.6',
        ],
        'openmmlab': [
            'torch>=2.0',
            'mmengine>=0.10.4,<0.11',
            'mmcv>=2.0,<2.2',
            'mmdet>=3.3,<3.4',
        ],
        'tests': ['pytest>=7'],
    },
    zip_safe=False)
