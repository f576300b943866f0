"""COCO's files: annotations and detections, read and written."""

import contextlib
import io
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from mmengine.structures import InstanceData
from pycocotools.coco import COCO

from da_faster.errors import UserError


def read_annotations(path: str) -> COCO:
    """Opens an annotation file, without the messages of pycocotools.

    Raises:
        OSError: If the file cannot be read.
        UserError: If the file does not hold COCO annotations.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return COCO(path)
    except (AssertionError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f'{path} is not COCO annotations ({error!r}).'
        ) from error


def read_detections(path: str) -> dict[int, list[dict]]:
    """Reads a file of detections, COCO's results, as CocoMetric writes it.

    Returns:
        dict: Detections by image id; an image without any has an empty list.

    Raises:
        UserError: If the file holds anything else.
    """
    detections = defaultdict(list)
    try:
        with open(path) as file:
            content = json.load(file)
        if not isinstance(content, list):
            raise TypeError(f'a {type(content).__name__} in place of a list')
        for detection in content:
            detections[detection['image_id']].append(detection)
            numbers = [*detection['bbox'], detection['score']]
            if len(numbers) != 5 or not all(map(_is_number, numbers)):
                raise ValueError(f'bbox and score {numbers}')
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f'{path} does not hold COCO detections, as CocoMetric writes them '
            f'with outfile_prefix ({type(error).__name__}: {error}): make '
            'them again.'
        ) from error
    return detections


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def coco_detections(
    image_id: int, found: InstanceData, category_ids: Mapping[int, int]
) -> list[dict]:
    """Converts the detections of an image into COCO's results.

    Args:
        image_id (int): The image.
        found (InstanceData): ``bboxes`` (n, 4), corners in pixels, ``scores``
            and ``labels`` (n,).
        category_ids (Mapping[int, int]): Category id by label. Detections of
            other labels are left out.
    """
    return [
        dict(
            image_id=image_id,
            category_id=category_ids[label],
            bbox=[x, y, right - x, bottom - y],
            score=score,
        )
        for (x, y, right, bottom), label, score in zip(
            found.bboxes.tolist(), found.labels.tolist(), found.scores.tolist()
        )
        if label in category_ids
    ]


def coco_content(
    images: Sequence[tuple[str, tuple[int, int]]],
    detections: Sequence[InstanceData],
    classes: Sequence[str],
    info: dict,
) -> dict:
    """Makes the content of an annotation file whose boxes keep their score.

    Args:
        images (Sequence[tuple]): File name and (height, width) in pixels of
            each image.
        detections (Sequence[InstanceData]): Detections of each image, as in
            :func:`coco_detections`.
        classes (Sequence[str]): Class names, in the order of the labels.
        info (dict): What made the detections.
    """
    category_ids = {label: label + 1 for label in range(len(classes))}
    annotations = [
        item
        for number, found in enumerate(detections, 1)
        for item in coco_detections(number, found, category_ids)
    ]
    return dict(
        info=info,
        images=[
            dict(id=number, file_name=name, width=width, height=height)
            for number, (name, (height, width)) in enumerate(images, 1)
        ],
        annotations=[
            dict(
                id=number,
                **item,
                area=item['bbox'][2] * item['bbox'][3],
                iscrowd=0,
            )
            for number, item in enumerate(annotations, 1)
        ],
        categories=[
            dict(id=number, name=name)
            for number, name in enumerate(classes, 1)
        ],
    )
