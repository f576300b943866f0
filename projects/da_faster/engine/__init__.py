from .checkpoints import RefusedCheckpoint, trust_checkpoints
from .hooks import (
    CheckpointNotWritten,
    FittingCheckpointHook,
    GradScaleRampHook,
    MissedValidationHook,
    NonFiniteError,
    NonFiniteHook,
    PreemptionHook,
    SafeCheckpointHook,
)
from .launch import part_from_launcher, set_up_cpu_launcher
from .loops import BadSample, DALoop, SeededTrainLoop

__all__ = [
    'BadSample',
    'CheckpointNotWritten',
    'DALoop',
    'FittingCheckpointHook',
    'GradScaleRampHook',
    'MissedValidationHook',
    'NonFiniteError',
    'NonFiniteHook',
    'PreemptionHook',
    'RefusedCheckpoint',
    'SafeCheckpointHook',
    'SeededTrainLoop',
    'part_from_launcher',
    'set_up_cpu_launcher',
    'trust_checkpoints',
]
