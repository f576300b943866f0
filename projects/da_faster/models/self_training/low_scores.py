"""Detections of a lower score than a detector's test shows."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def shown_from(detector: nn.Module, lowest: float) -> Iterator[None]:
    """Has a detector predict what its ``score_thr`` would leave out.

    A detector in use shows sure objects alone, often from 0.3 or 0.5. What it
    is unsure of would be background to its student.

    Args:
        detector (nn.Module): As before afterwards.
        lowest (float): Score to predict from. A lower ``score_thr`` stays.
    """
    changed = []
    for module in detector.modules():
        own = vars(module).get('test_cfg') or {}
        for part in (own, own.get('rcnn') or {}):
            score = part.get('score_thr')
            if isinstance(score, (int, float)) and score > lowest:
                changed.append((part, score))
                part['score_thr'] = lowest
    try:
        yield
    finally:
        for part, score in changed:
            part['score_thr'] = score
