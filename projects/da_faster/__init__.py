"""Domain-adaptive object detection on MMDetection.

Importing the package registers every module it defines, so a config needs one
line: ``custom_imports = dict(imports=['da_faster'])``.
"""
from . import datasets, engine, models  # noqa: F401

__version__ = '0.1.0'
