"""FIS by hand."""

import math

import pytest
import torch
from mmengine.structures import InstanceData
from torch import nn

from da_faster.engine.loops.fis import divergence, fis, match_cost, moved


def detections(*boxes) -> InstanceData:
    """Of (left, score, label); each box is 10 pixels wide and high."""
    return InstanceData(
        bboxes=torch.tensor([[x, 0.0, x + 10, 10.0] for x, _, _ in boxes]),
        scores=torch.tensor([score for _, score, _ in boxes]),
        labels=torch.tensor([label for _, _, label in boxes]),
    )


def test_the_same_detections_cost_minus_one():
    found = detections((0, 0.9, 0), (50, 0.4, 1))
    assert match_cost(found, found) == pytest.approx(-1)


def test_other_scores_and_places_cost_more():
    before = detections((0, 0.5, 0))
    after = detections((5, 0.8, 0))
    # IoU 5 / 15; 0.8 ln(0.8 / 0.5) + 0.2 ln(0.2 / 0.5) = 0.1927
    assert match_cost(before, after) == pytest.approx(
        -1 / 3 + 0.1927, abs=1e-4
    )


def test_another_class_costs_most():
    before = detections((0, 0.9, 0))
    same, other = detections((0, 0.9, 0)), detections((0, 0.9, 1))
    assert divergence(before, same).item() == pytest.approx(0)
    # 0.9 ln(0.9 / 0.001) + 0.1 ln 0.1
    assert divergence(before, other).item() == pytest.approx(5.892, abs=1e-3)


def test_each_detection_is_matched_once():
    before = detections((0, 0.9, 0), (100, 0.9, 0))
    after = detections((100, 0.9, 0), (0, 0.9, 0), (0, 0.9, 0))
    assert match_cost(before, after) == pytest.approx(-1)


def test_weights_move_by_the_norm_and_come_back():
    model = nn.Linear(3, 4)
    old = [p.clone() for p in model.parameters()]
    with moved(model, norm=2.0, seed=0):
        away = [
            (p - q).square().sum() for p, q in zip(model.parameters(), old)
        ]
        assert float(sum(away).sqrt()) == pytest.approx(2, rel=1e-5)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), old))


def test_a_steady_detector_has_a_lower_one():
    """Scores 0.5 + half the weight; the weight is 0, and moves by 1."""

    class One(nn.Module):
        def __init__(self, slope: float) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))
            self.slope = slope

        def detect(self) -> list:
            score = 0.5 + self.slope * float(self.weight)
            return [detections((0, score, 0))]

    steady, shaky = One(0.0), One(0.4)
    assert fis(steady, steady.detect) == pytest.approx(-1)
    # 0.9 ln(0.9 / 0.5) + 0.1 ln(0.1 / 0.5) = 0.3681, up as down
    assert fis(shaky, shaky.detect) == pytest.approx(-1 + 0.3681, abs=1e-4)


def test_without_detections_there_is_none():
    model = nn.Linear(1, 1)
    assert math.isnan(fis(model, lambda: [detections((0, 0.01, 0))]))


def test_domain_classifiers_do_not_count():
    """A detector has the same FIS without them."""
    model = nn.ModuleDict(
        dict(head=nn.Linear(2, 2), domain_neck=nn.Linear(9, 9))
    )
    old = [p.clone() for p in model.parameters()]
    with moved(model, norm=1.0, seed=0):
        away = [
            float((p - q).square().sum())
            for p, q in zip(model.parameters(), old)
        ]
    assert sum(away[:2]) == pytest.approx(1, rel=1e-5)
    assert away[2:] == [0, 0]
