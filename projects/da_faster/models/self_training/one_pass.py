"""One pass of a detector for images that two losses look at."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def one_pass(detector: nn.Module, images: Tensor) -> Iterator[bool]:
    """Has a detector look once at images that it is given twice.

    First they are a batch of their own, that learns the teacher's labels. Then
    they are the end of a larger one, as where the domain classifiers see both
    domains. The second time their features are those of the first. So are
    their RoIs, for a classifier at the instance level: those that the labels
    were learned on, in place of random proposals.

    Batch norms that learn their statistics compute something else in each of
    the two batches. With such ones nothing is changed.

    Args:
        detector (nn.Module): As before afterwards.
        images (Tensor): (N, 3, H, W).

    Yields:
        bool: Whether it looks once.
    """
    if any(
        isinstance(m, _BatchNorm) and m.training for m in detector.modules()
    ):
        yield False
        return
    known = []

    def extract_feat(batch: Tensor) -> tuple[Tensor]:
        if batch is images:
            known[:] = [extract(batch)]
            return known[0]
        if not known or len(batch) <= len(images):
            return extract(batch)
        first = extract(batch[: -len(images)])
        return tuple(torch.cat(pair) for pair in zip(first, known[0]))

    def bbox_forward(x: tuple[Tensor], rois: Tensor) -> dict:
        out = forward(x, rois)
        if known and x[0] is known[0][0]:
            detector.target_rois = rois, out['roi_vectors']
        return out

    with replaced(detector, 'extract_feat', extract_feat) as extract:
        if not getattr(detector, 'instance_domain_head', None):
            yield True
            return
        head = detector.roi_head
        with replaced(head, '_bbox_forward', bbox_forward) as forward:
            try:
                yield True
            finally:
                detector.target_rois = None


@contextmanager
def replaced(part: nn.Module, name: str, method) -> Iterator:
    """A method replaced for a while; gives the one that it had."""
    before = vars(part).get(name)
    given = getattr(part, name)
    setattr(part, name, method)
    try:
        yield given
    finally:
        delattr(part, name)
        if before:
            setattr(part, name, before)
