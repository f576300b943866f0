from .checkpoints import RefusedCheckpoint, trust_checkpoints
from .hooks import (
    CheckpointNotWritten,
    CollapsedError,
    FittingCheckpointHook,
    GradScaleRampHook,
    MissedValidationHook,
    NonFiniteError,
    NonFiniteHook,
    PaintedImagesHook,
    PreemptionHook,
    ResumedScheduleHook,
    SafeCheckpointHook,
    SelfTrainingHook,
)
from .launch import part_from_launcher, set_up_cpu_launcher
from .loops import BadSample, DALoop, SeededTrainLoop, TargetLoop
from .student_decay import StudentDecayConstructor
from .training_line import TrainingLine

__all__ = [
    'BadSample',
    'CheckpointNotWritten',
    'CollapsedError',
    'DALoop',
    'FittingCheckpointHook',
    'GradScaleRampHook',
    'MissedValidationHook',
    'NonFiniteError',
    'NonFiniteHook',
    'PaintedImagesHook',
    'PreemptionHook',
    'RefusedCheckpoint',
    'ResumedScheduleHook',
    'SafeCheckpointHook',
    'SeededTrainLoop',
    'SelfTrainingHook',
    'StudentDecayConstructor',
    'TargetLoop',
    'TrainingLine',
    'part_from_launcher',
    'set_up_cpu_launcher',
    'trust_checkpoints',
]
