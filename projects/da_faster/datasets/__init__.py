from .target_dataset import TargetDataset

__all__ = ['TargetDataset']
