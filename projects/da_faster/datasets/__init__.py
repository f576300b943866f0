from .joined_datasets import JoinedDatasets
from .target_dataset import TargetDataset
from .transforms import StrongAugmentation, TargetStyle

__all__ = [
    'JoinedDatasets',
    'StrongAugmentation',
    'TargetDataset',
    'TargetStyle',
]
