import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from da_faster.matching import agreement, count_matches, match_boxes


@pytest.mark.parametrize(
    'overlaps, in_order, largest_first',
    [
        ([[0.5]], [0], [0]),
        ([[0.49]], [None], [None]),
        ([[0.6, 0.7]], [1], [1]),
        # Both rows like the second column best.
        ([[0.6, 0.7], [0.0, 0.9]], [1, None], [0, 1]),
        ([[0.7, 0.6], [0.9, 0.8]], [0, 1], [1, 0]),
        # Of equal overlaps the first row and the first column win.
        ([[0.8, 0.8], [0.8, 0.8]], [0, 1], [0, 1]),
        (np.zeros((0, 2)), [], []),
        (np.zeros((2, 0)), [None, None], [None, None]),
    ],
)
def test_match_boxes(overlaps, in_order, largest_first):
    overlaps = np.array(overlaps)
    assert match_boxes(overlaps) == in_order
    assert match_boxes(overlaps, largest_first=True) == largest_first


def test_another_least_overlap():
    assert match_boxes(np.array([[0.3]]), 0.3) == [0]
    assert match_boxes(np.array([[0.6]]), 0.7) == [None]


def instances(*boxes: tuple) -> InstanceData:
    """(x1, y1, x2, y2, label) each."""
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 5)
    return InstanceData(bboxes=boxes[:, :4], labels=boxes[:, 4].long())


def test_agreement():
    ours = instances((0, 0, 10, 10, 0), (20, 0, 30, 10, 1))
    assert agreement(instances(), instances()) == 1
    assert agreement(ours, instances()) == 0
    assert agreement(ours, ours) == 1
    # IoU 6 / 10 matches; another label does not; nor does a second box.
    theirs = instances(
        (0, 0, 10, 6, 0), (0, 0, 10, 5.5, 0), (20, 0, 30, 10, 0)
    )
    assert agreement(ours, theirs) == 2 / 5


def test_count_matches():
    """The order of the sets does not matter."""
    ours = instances((0, 0, 10, 6, 0), (0, 0, 10, 10, 0))
    theirs = instances((0, 0, 10, 9, 0), (0, 0, 10, 5, 0))
    assert count_matches(ours, theirs) == count_matches(theirs, ours) == 2
    assert count_matches(ours, theirs, 0.85) == 1
