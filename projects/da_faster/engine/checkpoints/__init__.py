"""Writes checkpoint files as a whole, checks and loads them without code."""

from .loading import RefusedCheckpoint, trust_checkpoints

__all__ = ['RefusedCheckpoint', 'trust_checkpoints']
