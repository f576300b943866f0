from .checkpoint_loading import RefusedCheckpoint, trust_checkpoints
from .da_loop import DALoop
from .grad_scale_ramp_hook import GradScaleRampHook
from .launch import set_up_cpu_launcher
from .non_finite_hook import NonFiniteError, NonFiniteHook
from .preemption_hook import PreemptionHook
from .safe_checkpoint_hook import CheckpointNotWritten, SafeCheckpointHook
from .seeded_loop import SeededTrainLoop

__all__ = [
    'CheckpointNotWritten', 'DALoop', 'GradScaleRampHook', 'NonFiniteError',
    'NonFiniteHook', 'PreemptionHook', 'RefusedCheckpoint',
    'SafeCheckpointHook', 'SeededTrainLoop', 'set_up_cpu_launcher',
    'trust_checkpoints'
]
