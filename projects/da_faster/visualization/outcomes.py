"""Detections against labelled objects: found, missed, false alarms."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from pycocotools import mask as mask_utils

from da_faster.errors import UserError
from da_faster.matching import match_boxes


class Outcome(NamedTuple):
    """Detections of one image, or of several, matched to its objects.

    Attributes:
        detections: COCO results, best score first.
        truth: COCO annotations, the objects.
        matched: For each detection, an index into ``truth``, or None.
    """

    detections: list[dict]
    truth: list[dict]
    matched: list[int | None]

    @property
    def found(self) -> int:
        """Number of objects found."""
        return len(self.matched) - self.false

    @property
    def false(self) -> int:
        """Number of false alarms."""
        return self.matched.count(None)

    def above(self, score: float) -> 'Outcome':
        """Returns the outcome without the detections of a lower score."""
        num = sum(d['score'] >= score for d in self.detections)
        return Outcome(self.detections[:num], self.truth, self.matched[:num])

    def __str__(self) -> str:
        return (
            f'{self.found} of {len(self.truth)} found, {self.false} false '
            f'alarm{"" if self.false == 1 else "s"}'
        )


def overlaps_of(
    detections: Sequence[dict], truth: Sequence[dict], crowds: bool = False
) -> np.ndarray:
    """Computes the IoU of detections with objects, whatever the classes.

    Args:
        detections (Sequence[dict]): COCO results.
        truth (Sequence[dict]): COCO annotations.
        crowds (bool): Take the annotations for crowds: compute the fraction of
            the detection that lies inside.

    Returns:
        ndarray: (detections, annotations).
    """
    if not detections or not truth:
        return np.zeros((len(detections), len(truth)))
    return mask_utils.iou(
        [d['bbox'] for d in detections],
        [t['bbox'] for t in truth],
        [int(crowds)] * len(truth),
    )


def match(
    detections: Sequence[dict], truth: Sequence[dict]
) -> list[int | None]:
    """Finds the object of each detection: same class, IoU of 0.5 or more.

    Args:
        detections (Sequence[dict]): COCO results, best score first. An object
            is found once, by the best of its detections.
        truth (Sequence[dict]): COCO annotations.

    Returns:
        list: For each detection, an index into ``truth``, or None.
    """
    ours, theirs = (
        np.array([item['category_id'] for item in items], int)
        for items in (detections, truth)
    )
    same = ours[:, None] == theirs[None]
    return match_boxes(overlaps_of(detections, truth) * same)


def assess(detections: Sequence[dict], annotations: Sequence[dict]) -> Outcome:
    """Matches the detections of an image.

    A crowd is neither found nor missed. A detection that lies in a crowd, by
    half of its area or more, is no false alarm.

    Args:
        detections (Sequence[dict]): COCO results, best score first.
        annotations (Sequence[dict]): COCO annotations, crowds included.
    """
    truth = [a for a in annotations if not a.get('iscrowd')]
    crowds = [a for a in annotations if a.get('iscrowd')]
    matched = match(detections, truth)
    inside = overlaps_of(detections, crowds, True).max(axis=1, initial=0)
    kept = [
        (detection, found)
        for detection, found, share in zip(detections, matched, inside)
        if found is not None or share < 0.5
    ]
    return Outcome([d for d, _ in kept], truth, [found for _, found in kept])


def assess_images(
    detections: Mapping[int, Sequence[dict]],
    annotations: Mapping[int, Sequence[dict]],
) -> dict[int, Outcome]:
    """Matches the detections of images, of any order.

    Args:
        detections (Mapping): COCO results by image id.
        annotations (Mapping): COCO annotations by image id, of all images.

    Returns:
        dict: Outcomes by image id, in the order of ``annotations``.
    """
    return {
        i: assess(
            sorted(detections.get(i, ()), key=lambda d: -d['score']), items
        )
        for i, items in annotations.items()
    }


def fair_score(outcomes: Sequence[Outcome]) -> float:
    """Finds the lowest score with at most one false alarm an image on average.

    Args:
        outcomes (Sequence[Outcome]): One outcome an image.
    """
    scores = sorted(
        (
            d['score']
            for outcome in outcomes
            for d, found in zip(outcome.detections, outcome.matched)
            if found is None
        ),
        reverse=True,
    )
    if len(scores) <= len(outcomes):
        return 0.0
    return float(np.nextafter(scores[len(outcomes)], np.inf))


def total(outcomes: Sequence[Outcome]) -> Outcome:
    """Joins the outcomes of several images, to count them together."""
    return Outcome(
        *(
            [item for part in parts for item in part]
            for parts in zip(*outcomes)
        )
    )


def difference(one: Outcome, other: Outcome) -> int:
    """Counts the objects of an image that only one of two detectors finds.

    A loss counts as much as a gain.
    """
    found, also = (
        {i for i in outcome.matched if i is not None}
        for outcome in (one, other)
    )
    return len(found ^ also)


def check_detections(
    path: str,
    detections: Mapping[int, Sequence[dict]],
    image_ids: Sequence[int],
    names: Mapping[int, object],
    ann_file: str,
) -> None:
    """Raises a UserError if detections were made for other annotations.

    Args:
        path (str): The file of the detections.
        detections (Mapping): COCO results by image id.
        image_ids (Sequence[int]): Images of the annotation file.
        names (Mapping): Keys are the category ids of the annotation file.
        ann_file (str): The annotation file.
    """
    for image_id, items in detections.items():
        for detection in items:
            category = detection.get('category_id')
            if image_id not in image_ids or category not in names:
                raise UserError(
                    f'{path} has a detection of image {image_id}, category '
                    f'{category}, which does not fit {ann_file}: give the '
                    'annotations it was made for.'
                )
