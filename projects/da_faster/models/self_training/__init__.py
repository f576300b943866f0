"""Self-training: a teacher, the average of a student, labels the target."""

from .block_masking import BlockMasking
from .distillation import TwoStageDistillation
from .mean_teacher import MeanTeacher
from .pseudo_labels import PseudoLabels

__all__ = [
    'BlockMasking',
    'MeanTeacher',
    'PseudoLabels',
    'TwoStageDistillation',
]
