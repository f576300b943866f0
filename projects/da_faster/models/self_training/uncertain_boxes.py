"""Uncertain boxes: neither objects nor background to the student."""

import functools
import inspect

import torch
from mmdet.models.task_modules import AssignResult
from mmdet.structures import DetDataSample, SampleList
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData
from torch import Tensor, nn

OVERLAP = 0.5  # fraction of a prior in an uncertain box: no background above

# Heads with a loss that counts priors which the assigner ignores, or with
# assigners of their own.
COUNTING_IGNORED_PRIORS = (
    'CascadeRPNHead', 'FreeAnchorRetinaHead', 'GuidedAnchorHead',
    'MultiInstanceRoIHead', 'StageCascadeRPNHead', 'TOODHead', 'VFNetHead',
)  # fmt: skip


class UncertainBoxes(InstanceData):
    """Boxes of a teacher that a :class:`SparingAssigner` keeps apart.

    A sample has them as ``ignored_instances``. Ignored boxes of annotations
    are plain ``InstanceData``, which MMDetection's assigners treat as ever.
    """


class SparingAssigner:
    """Mixin of an assigner: no prior in an uncertain box is background.

    MMDetection's own rule for ignored boxes does not serve. That rule takes a
    prior from the objects, too, if the prior lies in an ignored box; but a
    teacher often sees a second, uncertain box on an object. The rule ignores
    nothing in an image without objects, and nothing at all with the usual
    configs.
    """

    def assign(self, *args, **kwargs) -> AssignResult:
        """Assigns priors to objects, as the assigner's own class does.

        Args:
            *args, **kwargs: Arguments of the assigner's class. Where
                ``gt_instances_ignore`` is :class:`UncertainBoxes`, priors are
                left out that would be background and lie in one of them.

        Returns:
            AssignResult: ``gt_inds`` is -1 where a prior is left out.
        """
        given = inspect.signature(super().assign).bind(*args, **kwargs)
        uncertain = given.arguments.get('gt_instances_ignore')
        if not isinstance(uncertain, UncertainBoxes):
            return super().assign(*args, **kwargs)
        given.arguments['gt_instances_ignore'] = None
        result = super().assign(*given.args, **given.kwargs)
        if len(uncertain):
            priors = given.arguments['pred_instances'].priors
            inside = bbox_overlaps(priors, uncertain.bboxes, mode='iof')
            inside = inside.max(dim=1)[0] > OVERLAP
            result.gt_inds[inside & (result.gt_inds == 0)] = -1
        return result


@functools.cache
def sparing_class(cls: type) -> type:
    """Derives a class of assigners that spares uncertain boxes."""
    return type(f'Sparing{cls.__name__}', (SparingAssigner, cls), {})


def find_assigners(model: nn.Module) -> list:
    """Finds the assigners of a model that can ignore boxes.

    Args:
        model (nn.Module): A detector or a head.

    Returns:
        list: Each assigner once; none if a head counts ignored priors.
    """
    names = {cls.__name__ for m in model.modules() for cls in type(m).__mro__}
    if names.intersection(COUNTING_IGNORED_PRIORS):
        return []
    found = {}
    for module in model.modules():
        for value in vars(module).values():
            for item in value if isinstance(value, list) else [value]:
                if hasattr(item, 'ignore_iof_thr'):
                    found[id(item)] = item
    return list(found.values())


def spare_uncertain_boxes(model: nn.Module) -> bool:
    """Has the assigners of a model spare uncertain boxes, from now on.

    A detector builds its assigners itself, so their class changes afterwards.

    Args:
        model (nn.Module): A detector; changed in place.

    Returns:
        bool: Whether the model has such assigners.
    """
    assigners = find_assigners(model)
    for assigner in assigners:
        assigner.__class__ = sparing_class(type(assigner))
    return bool(assigners)


def cover_uncertain(images: Tensor, samples: SampleList) -> Tensor:
    """Covers the uncertain boxes in images, for detectors that ignore none.

    The student then sees nothing but background in such a box. Labelled
    objects stay visible.

    Args:
        images (Tensor): (N, C, H, W).
        samples (list[DetDataSample]): N, with ``gt_instances`` and
            ``ignored_instances``, in pixels of these images.

    Returns:
        Tensor: (N, C, H, W). A covered pixel has the mean colour of its
        image. Without uncertain boxes it is ``images`` itself.
    """
    if not any(len(sample.ignored_instances) for sample in samples):
        return images
    return torch.stack(
        [cover_in(image, sample) for image, sample in zip(images, samples)]
    )


def cover_in(image: Tensor, sample: DetDataSample) -> Tensor:
    """Covers the uncertain boxes in one image, (C, H, W)."""
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
