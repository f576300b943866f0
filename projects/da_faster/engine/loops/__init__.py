"""Loops, and the random numbers that a resume finds again."""

from .da_loop import DALoop, TargetLoop
from .random_streams import BadSample
from .seeded_loop import SeededTrainLoop

__all__ = [
    'BadSample',
    'DALoop',
    'SeededTrainLoop',
    'TargetLoop',
]
