from .fitting_checkpoint_hook import FittingCheckpointHook
from .folder_visualization_hook import FolderVisualizationHook
from .grad_scale_ramp_hook import GradScaleRampHook
from .missed_validation_hook import MissedValidationHook
from .non_finite_hook import NonFiniteError, NonFiniteHook
from .preemption_hook import PreemptionHook
from .resumed_schedule_hook import ResumedScheduleHook
from .safe_checkpoint_hook import CheckpointNotWritten, SafeCheckpointHook
from .self_training_hook import CollapsedError, SelfTrainingHook

__all__ = [
    'CheckpointNotWritten',
    'CollapsedError',
    'FittingCheckpointHook',
    'GradScaleRampHook',
    'MissedValidationHook',
    'NonFiniteError',
    'NonFiniteHook',
    'FolderVisualizationHook',
    'PreemptionHook',
    'ResumedScheduleHook',
    'SafeCheckpointHook',
    'SelfTrainingHook',
]
