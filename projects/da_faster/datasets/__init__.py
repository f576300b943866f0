from .target_dataset import TargetDataset
from .transforms import StrongAugmentation, TargetStyle

__all__ = ['StrongAugmentation', 'TargetDataset', 'TargetStyle']
