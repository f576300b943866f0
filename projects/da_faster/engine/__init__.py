from .checkpoints import RefusedCheckpoint, trust_checkpoints
from .hooks import (
    CheckpointNotWritten,
    CollapsedError,
    FittingCheckpointHook,
    FolderVisualizationHook,
    GradScaleRampHook,
    MissedValidationHook,
    NonFiniteError,
    NonFiniteHook,
    PreemptionHook,
    ResumedScheduleHook,
    SafeCheckpointHook,
    SelfTrainingHook,
)
from .launch import leave_process_group, set_up_cpu_launcher
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
    'FolderVisualizationHook',
    'PreemptionHook',
    'RefusedCheckpoint',
    'ResumedScheduleHook',
    'SafeCheckpointHook',
    'SeededTrainLoop',
    'SelfTrainingHook',
    'StudentDecayConstructor',
    'TargetLoop',
    'TrainingLine',
    'leave_process_group',
    'set_up_cpu_launcher',
    'trust_checkpoints',
]
