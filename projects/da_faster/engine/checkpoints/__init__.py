"""Checkpoint files: written whole, checked, loaded without running code."""

from .loading import RefusedCheckpoint, trust_checkpoints

__all__ = ['RefusedCheckpoint', 'trust_checkpoints']
