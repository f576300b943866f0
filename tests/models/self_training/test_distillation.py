"""The losses of soft labels, by hand."""

from math import log

import pytest
import torch

from da_faster.models import TwoStageDistillation


def logits(*probabilities: float) -> list:
    return [log(p) for p in probabilities]


def outputs(classes: list, deltas: list) -> dict:
    return dict(
        cls_score=torch.tensor(classes), bbox_pred=torch.tensor(deltas)
    )


# Two RoIs, classes a and b, background last. The teacher sees b in the first
# and background in the second.
OURS = [logits(0.5, 0.25, 0.25), logits(0.25, 0.25, 0.5)]
THEIRS = [logits(0.2, 0.7, 0.1), logits(0.1, 0.1, 0.8)]
CROSS_ENTROPY = -(
    0.2 * log(0.5)
    + 0.7 * log(0.25)
    + 0.1 * log(0.25)
    + 0.1 * log(0.25)
    + 0.1 * log(0.25)
    + 0.8 * log(0.5)
)


@pytest.mark.parametrize(
    'ours, theirs, distance',
    [
        # a: 1 apart each, b: 2 apart each; of the first RoI b counts.
        ([[0.0] * 8] * 2, [[1.0] * 4 + [2.0] * 4] * 2, 8),
        # One box for all classes.
        ([[0.0] * 4] * 2, [[1.0, -2.0, 0.0, 0.5]] * 2, 3.5),
    ],
)
def test_roi_losses(ours, theirs, distance):
    losses = TwoStageDistillation.roi_loss(
        outputs(OURS, ours), outputs(THEIRS, theirs)
    )
    assert losses['loss_cls'].item() == pytest.approx(CROSS_ENTROPY / 2)
    assert losses['loss_bbox'].item() == pytest.approx(distance / 2)


def test_no_roi():
    empty = dict(cls_score=torch.zeros(0, 3), bbox_pred=torch.zeros(0, 8))
    losses = TwoStageDistillation.roi_loss(empty, empty)
    assert [x.item() for x in losses.values()] == [0, 0]


class Head:
    """Three anchors at each of two places; the first two are sampled."""

    def get_anchors(self, sizes, metas, device):
        assert sizes == [(1, 2)]
        return None, None

    def get_targets(self, anchors, valid, objects, metas):
        assert all((x.labels == 0).all() for x in objects)
        sampled = torch.tensor([[1.0, 1, 0, 0, 0, 0]])
        positive = torch.zeros(1, 6, 4)
        positive[0, 1] = 1
        return None, [sampled], None, [positive], 1


def test_rpn_losses():
    """Anchors at a place follow each other, then the next place."""
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData

    sample = DetDataSample()
    sample.gt_instances = InstanceData(
        bboxes=torch.rand(1, 4), labels=torch.tensor([2])
    )
    ours = torch.zeros(1, 3, 1, 2)
    theirs = torch.zeros(1, 3, 1, 2)
    theirs[0, :2, 0, 0] = torch.tensor(logits(0.8 / 0.2, 0.1 / 0.9))
    deltas = torch.zeros(1, 12, 1, 2)
    their_deltas = torch.full((1, 12, 1, 2), 9.0)
    their_deltas[0, 4:8, 0, 0] = torch.tensor([1.0, 2, 3, 6])
    losses = TwoStageDistillation.rpn_loss(
        Head(), [ours], [deltas], [theirs], [their_deltas], [sample]
    )
    # Our objectness is 0.5, whatever theirs: ln 2.
    assert losses['loss_rpn_cls'].item() == pytest.approx(log(2))
    assert losses['loss_rpn_bbox'].item() == 3
    ours[0, 0] = log(4)  # 0.8, as the teacher says
    losses = TwoStageDistillation.rpn_loss(
        Head(), [ours], [deltas], [theirs], [their_deltas], [sample]
    )
    entropy = -(0.8 * log(0.8) + 0.2 * log(0.2))
    assert losses['loss_rpn_cls'].item() == pytest.approx(
        (entropy + log(2)) / 2
    )
    assert sample.gt_instances.labels.item() == 2
