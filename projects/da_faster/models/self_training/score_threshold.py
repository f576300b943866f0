"""Detections that score less than a detector's own test shows."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def score_thr_at_most(detector: nn.Module, score: float) -> Iterator[None]:
    """Lowers the ``score_thr`` of a detector while it predicts.

    A detector in use often shows confident objects alone, from 0.3 or 0.5. A
    teacher has to show its uncertain detections, too: the student would take
    them for background.

    The change is temporary, since the same teacher is validated with its own
    ``score_thr``. The heads of MMDetection take no other as an argument.

    Args:
        detector (nn.Module): Any detector of MMDetection.
        score (float): The highest ``score_thr`` to leave. A lower one stays.
    """
    changed = []
    for module in detector.modules():
        own = vars(module).get('test_cfg') or {}
        for part in (own, own.get('rcnn') or {}):
            before = part.get('score_thr')
            if isinstance(before, (int, float)) and before > score:
                changed.append((part, before))
                part['score_thr'] = score
    try:
        yield
    finally:
        for part, before in changed:
            part['score_thr'] = before
