"""Self-training: a teacher, the average of a student, labels the target."""

from .distillation import TwoStageDistillation
from .hidden_blocks import HiddenBlocks
from .mean_teacher import MeanTeacher
from .pseudo_labels import PseudoLabels

__all__ = [
    'HiddenBlocks',
    'MeanTeacher',
    'PseudoLabels',
    'TwoStageDistillation',
]
