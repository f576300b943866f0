"""Boxes on their way from one view of an image to another."""

import torch
from mmdet.structures import DetDataSample, SampleList
from mmdet.structures.bbox import bbox_project
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from torch import Tensor


def movement(strong: DetDataSample, weak: DetDataSample) -> Tensor | None:
    """What brings a point of the weak view to its place in the strong one.

    Args:
        strong (DetDataSample): Of one view.
        weak (DetDataSample): Of the other.

    Returns:
        Tensor or None: Homography, (3, 3); None where both have one geometry.

    Raises:
        ValueError: If they differ in geometry and do not say how.
    """
    ours, theirs = (
        s.metainfo.get('homography_matrix') for s in (strong, weak)
    )
    if ours is not None and theirs is not None:
        if (ours == theirs).all():
            return None
        return torch.from_numpy(ours) @ torch.from_numpy(theirs).inverse()
    for key in ('img_shape', 'scale_factor', 'flip', 'flip_direction'):
        if strong.metainfo.get(key) != weak.metainfo.get(key):
            raise ValueError(
                f'MeanTeacher: {key} differs in the two views of '
                f'{strong.metainfo.get("img_path")}; move flips and sizes '
                "before MultiBranch, or add 'homography_matrix' to the "
                'meta_keys of both'
            )
    return None


def as_they_are(samples: SampleList) -> SampleList:
    """Copies that tell of no flip.

    For predictions in the view: some detectors, such as Cascade Mask R-CNN,
    would flip their masks back.
    """
    return [s.new(metainfo=dict(s.metainfo, flip=False)) for s in samples]


def label(
    strong_samples: SampleList,
    weak_samples: SampleList,
    parts: list[tuple[InstanceData, InstanceData]],
) -> SampleList:
    """Brings the teacher's boxes from the weak to the strong view.

    Args:
        strong_samples (list[DetDataSample]): Of each image. Of these and of
            the next only the metainfo is taken.
        weak_samples (list[DetDataSample]): Of each image.
        parts (list[tuple]): Of each image, the boxes in the weak view that are
            labels, and those to ignore.

    Returns:
        list[DetDataSample]: New ones, with ``gt_instances`` and
        ``ignored_instances``.

    Raises:
        ValueError: If the views differ in geometry and do not say how, or if
            masks would have to move.
    """
    samples = []
    for strong, weak, boxes in zip(strong_samples, weak_samples, parts):
        sample = DetDataSample(metainfo=strong.metainfo)
        moved = movement(strong, weak)
        for name, found in zip(('gt_instances', 'ignored_instances'), boxes):
            instances = InstanceData(bboxes=found.bboxes, labels=found.labels)
            if moved is None:
                if 'masks' in found:
                    instances.masks = BitmapMasks(
                        found.masks.byte().cpu().numpy(),
                        *found.masks.shape[1:],
                    )
            elif 'masks' in found:
                raise ValueError(
                    'MeanTeacher: masks need two views of one geometry; move '
                    'flips and sizes before MultiBranch'
                )
            else:
                instances.bboxes = bbox_project(
                    found.bboxes, moved.to(found.bboxes), sample.img_shape
                )
                size = instances.bboxes[:, 2:] - instances.bboxes[:, :2]
                instances = instances[(size > 1).all(dim=1)]
            setattr(sample, name, instances)
        samples.append(sample)
    return samples
