"""Boxes that are neither objects nor background."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from mmdet.structures import DetDataSample, SampleList
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor, nn

# Their losses count a prior that the assigner ignored, or have an assigner of
# their own.
COUNTING_ALL = (
    'FreeAnchorRetinaHead', 'MultiInstanceRoIHead', 'TOODHead', 'VFNetHead',
)  # fmt: skip


def find_assigners(model: nn.Module) -> list:
    """The assigners in a model that can ignore boxes; none if that is vain."""
    kinds = {cls.__name__ for m in model.modules() for cls in type(m).__mro__}
    if kinds.intersection(COUNTING_ALL):
        return []
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


def without_ignored(images: Tensor, samples: SampleList) -> Tensor:
    """Images in which nothing is seen of the boxes to ignore.

    For detectors that ignore no box: where one is, background is all there is
    to see. Of an object that is labelled nothing is covered.

    Args:
        images (Tensor): (N, C, H, W).
        samples (list[DetDataSample]): N, with ``gt_instances`` and
            ``ignored_instances``, pixels of these images.

    Returns:
        Tensor: (N, C, H, W), the same one where there is nothing to cover. A
        covered pixel has the mean colour of its image.
    """
    if not any(len(sample.ignored_instances) for sample in samples):
        return images
    return torch.stack(
        [covered(image, sample) for image, sample in zip(images, samples)]
    )


def covered(image: Tensor, sample: DetDataSample) -> Tensor:
    """One image of ``without_ignored``, (C, H, W)."""
    cover = torch.zeros_like(image[0], dtype=torch.bool)
    for instances, value in (
        (sample.ignored_instances, True),
        (sample.gt_instances, False),
    ):
        ends = instances.bboxes.clamp(min=0)
        ends = torch.cat([ends[:, :2].floor(), ends[:, 2:].ceil()], dim=1)
        for left, top, right, bottom in ends.long().tolist():
            cover[top:bottom, left:right] = value
    height, width = sample.img_shape[:2]
    mean = image[:, :height, :width].mean(dim=(1, 2))
    return torch.where(cover, mean[:, None, None], image)
