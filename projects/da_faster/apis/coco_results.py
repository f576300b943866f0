"""Detections as a COCO file."""

from collections.abc import Sequence

from mmengine.structures import InstanceData


def coco_content(
    images: Sequence[tuple[str, tuple[int, int]]],
    detections: Sequence[InstanceData],
    classes: Sequence[str],
    info: dict,
) -> dict:
    """A COCO file whose boxes keep their score.

    Args:
        images (Sequence[tuple]): Of each image its file name and (height,
            width) in pixels.
        detections (Sequence[InstanceData]): Of each image, with ``bboxes``
            (n, 4), corners in pixels, ``scores`` and ``labels`` (n,).
        classes (Sequence[str]): Names, in the order of the labels.
        info (dict): What made them.
    """
    annotations = []
    for number, found in enumerate(detections, 1):
        for (x, y, right, bottom), label, score in zip(
            found.bboxes.tolist(), found.labels.tolist(), found.scores.tolist()
        ):
            width, height = right - x, bottom - y
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=number,
                    category_id=label + 1,
                    bbox=[x, y, width, height],
                    area=width * height,
                    iscrowd=0,
                    score=score,
                )
            )
    return dict(
        info=info,
        images=[
            dict(id=number, file_name=name, width=width, height=height)
            for number, (name, (height, width)) in enumerate(images, 1)
        ],
        annotations=annotations,
        categories=[
            dict(id=number, name=name)
            for number, name in enumerate(classes, 1)
        ],
    )
