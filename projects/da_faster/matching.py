"""Greedy matching of boxes, one to one."""

import numpy as np
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData


def match_boxes(
    overlaps: np.ndarray, least: float = 0.5, largest_first: bool = False
) -> list[int | None]:
    """Matches rows to columns; neither is matched twice.

    Args:
        overlaps (ndarray): IoU of each row with each column, (n, m). A pair
            that must not match has 0.
        least (float): Lowest IoU of a match, above 0.
        largest_first (bool): The pair with the largest IoU of all matches
            first. By default the first row chooses first, as in COCO's
            evaluation, whose rows are detections with the best score first.

    Returns:
        list: For each row the index of its column, or None.
    """
    rows, columns = np.nonzero(overlaps >= least)
    sizes = overlaps[rows, columns]
    # lexsort takes the most important key last, and is stable.
    keys = (-sizes,) if largest_first else (-sizes, rows)
    matched: list[int | None] = [None] * len(overlaps)
    for pair in np.lexsort(keys):
        row, column = int(rows[pair]), int(columns[pair])
        if matched[row] is None and column not in matched:
            matched[row] = column
    return matched


def count_matches(
    ours: InstanceData, theirs: InstanceData, least: float = 0.5
) -> int:
    """Counts the boxes that two sets of detections of one image share.

    A match has the same label and an IoU of ``least`` or more. The pair with
    the largest IoU matches first, so the order of the sets does not matter.

    Args:
        ours (InstanceData): ``bboxes`` (n, 4), corners in pixels, and
            ``labels`` (n,).
        theirs (InstanceData): The same for the other set.
        least (float): Lowest IoU of a match.
    """
    overlaps = bbox_overlaps(ours.bboxes, theirs.bboxes)
    overlaps = overlaps * (ours.labels[:, None] == theirs.labels[None])
    matched = match_boxes(
        overlaps.float().cpu().numpy(), least, largest_first=True
    )
    return len(matched) - matched.count(None)


def agreement(
    ours: InstanceData, theirs: InstanceData, least: float = 0.5
) -> float:
    """Computes the F1 score of one set of detections against the other.

    The F1 score is twice the number of matches over the number of all boxes.
    It is 1 where both sets are empty.

    Args:
        ours, theirs, least: As in :func:`count_matches`.

    Returns:
        float: From 0 to 1.
    """
    total = len(ours) + len(theirs)
    return 2 * count_matches(ours, theirs, least) / total if total else 1.0
