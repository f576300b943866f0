"""Checkpoint files: written whole, checked, and loaded without running code."""
from .loading import RefusedCheckpoint, trust_checkpoints

__all__ = ['RefusedCheckpoint', 'trust_checkpoints']
