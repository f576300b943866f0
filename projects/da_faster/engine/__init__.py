from .checkpoint_loading import (FittingCheckpointHook, RefusedCheckpoint,
                                 trust_checkpoints)
from .da_loop import DALoop
from .grad_scale_ramp_hook import GradScaleRampHook
from .launch import part_from_launcher, set_up_cpu_launcher
from .missed_validation_hook import MissedValidationHook
from .non_finite_hook import NonFiniteError, NonFiniteHook
from .preemption_hook import PreemptionHook
from .random_streams import BadSample
from .safe_checkpoint_hook import CheckpointNotWritten, SafeCheckpointHook
from .seeded_loop import SeededTrainLoop

__all__ = [
    'BadSample', 'CheckpointNotWritten', 'DALoop', 'FittingCheckpointHook',
    'GradScaleRampHook', 'MissedValidationHook', 'NonFiniteError',
    'NonFiniteHook', 'PreemptionHook', 'RefusedCheckpoint',
    'SafeCheckpointHook', 'SeededTrainLoop', 'part_from_launcher',
    'set_up_cpu_launcher', 'trust_checkpoints'
]
