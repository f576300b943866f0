from .strong_augmentation import StrongAugmentation
from .target_style import TargetStyle

__all__ = ['StrongAugmentation', 'TargetStyle']
