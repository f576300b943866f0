"""Labels of the weak view of a target image, moved to the strong view."""

import torch
from mmdet.structures import DetDataSample, SampleList
from mmdet.structures.bbox import bbox_project
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from torch import Tensor

from .uncertain_boxes import UncertainBoxes


def homography(strong: DetDataSample, weak: DetDataSample) -> Tensor | None:
    """Finds the homography from the weak view to the strong view.

    Args:
        strong (DetDataSample): Sample of the strong view.
        weak (DetDataSample): Sample of the weak view.

    Returns:
        Tensor or None: The matrix, (3, 3); None where both views have one
        geometry.

    Raises:
        ValueError: If the views differ in geometry and have no
            ``homography_matrix``.
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


def without_flips(samples: SampleList) -> SampleList:
    """Copies samples without their flips, to predict in the view.

    Some detectors, such as Cascade Mask R-CNN, would flip their masks back.
    """
    return [s.new(metainfo=dict(s.metainfo, flip=False)) for s in samples]


def move_labels(
    strong_samples: SampleList,
    weak_samples: SampleList,
    parts: list[tuple[InstanceData, InstanceData]],
) -> SampleList:
    """Moves labels and uncertain boxes from the weak to the strong view.

    Args:
        strong_samples (list[DetDataSample]): N samples. Only their metainfo
            is taken.
        weak_samples (list[DetDataSample]): N samples, likewise.
        parts (list[tuple]): Labels and uncertain boxes of each image, in
            pixels of the weak view.

    Returns:
        list[DetDataSample]: N new samples of the strong view: labels as
        ``gt_instances``, uncertain boxes as ``ignored_instances``.

    Raises:
        ValueError: If the views differ in geometry and have no
            ``homography_matrix``, or if masks would have to move.
    """
    samples = []
    fields = dict(gt_instances=InstanceData, ignored_instances=UncertainBoxes)
    for strong, weak, boxes in zip(strong_samples, weak_samples, parts):
        sample = DetDataSample(metainfo=strong.metainfo)
        matrix = homography(strong, weak)
        for (name, cls), found in zip(fields.items(), boxes):
            instances = cls(bboxes=found.bboxes, labels=found.labels)
            if matrix is None:
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
                    found.bboxes, matrix.to(found.bboxes), sample.img_shape
                )
                size = instances.bboxes[:, 2:] - instances.bboxes[:, :2]
                instances = instances[(size > 1).all(dim=1)]
            setattr(sample, name, instances)
        samples.append(sample)
    return samples
