"""Training loops that a resume continues exactly."""

from .da_loop import DALoop, TargetLoop
from .random_streams import BadSample
from .seeded_loop import SeededTrainLoop

__all__ = [
    'BadSample',
    'DALoop',
    'SeededTrainLoop',
    'TargetLoop',
]
