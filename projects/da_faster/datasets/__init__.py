from .target_dataset import TargetDataset
from .transforms import MaskBlocks, StrongAugmentation, TargetStyle

__all__ = ['MaskBlocks', 'StrongAugmentation', 'TargetDataset', 'TargetStyle']
