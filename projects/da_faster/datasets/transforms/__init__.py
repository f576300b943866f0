from .mask_blocks import MaskBlocks
from .strong_augmentation import StrongAugmentation
from .target_style import TargetStyle

__all__ = ['MaskBlocks', 'StrongAugmentation', 'TargetStyle']
