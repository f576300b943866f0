"""Boxes that are neither objects nor background."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from mmdet.structures.bbox import bbox_overlaps
from torch import nn


def find_assigners(model: nn.Module) -> list:
    """The assigners in a model that can ignore boxes."""
    found = {}
    for module in model.modules():
        for value in vars(module).values():
            for item in value if isinstance(value, list) else [value]:
                if hasattr(item, 'ignore_iof_thr'):
                    found[id(item)] = item
    return list(found.values())


def sparing(assign: Callable, overlap: float) -> Callable:
    """An assigner's ``assign`` that takes no ignored box for background.

    MMDetection's takes a prior in an ignored box from the objects, too, also
    where the two are one: the teacher often sees a second, unsure box on an
    object. It ignores nothing in an image without objects, and by its usual
    configs nothing at all.
    """
    signature = inspect.signature(assign)

    def spare(*args, **kwargs):
        given = signature.bind(*args, **kwargs).arguments
        ignored = given.pop('gt_instances_ignore', None)
        result = assign(**given)
        if ignored is not None and len(ignored):
            priors = given['pred_instances'].priors
            inside = bbox_overlaps(priors, ignored.bboxes, mode='iof')
            unsure = inside.max(dim=1)[0] > overlap
            result.gt_inds[unsure & (result.gt_inds == 0)] = -1
        return result

    return spare


@contextmanager
def ignoring(assigners: Iterable, overlap: float = 0.5) -> Iterator[None]:
    """Has assigners ignore boxes, as :func:`sparing` says.

    Args:
        assigners (iterable): They are as before afterwards.
        overlap (float): Share of a prior in an ignored box above which it is
            no background.
    """
    for assigner in assigners:
        assigner.assign = sparing(assigner.assign, overlap)
    try:
        yield
    finally:
        for assigner in assigners:
            del assigner.assign
