"""Objects found, objects missed and false alarms."""

import pytest

from da_faster.visualization.outcomes import (
    Outcome,
    assess,
    difference,
    fair_score,
    match,
    total,
)


def box(x: float, category: int = 1) -> dict:
    return dict(bbox=[x, 0, 10, 10], category_id=category)


@pytest.mark.parametrize(
    'detections, truth, found',
    [
        ([box(0)], [box(0)], [True]),
        ([box(3)], [box(0)], [True]),  # IoU 7 / 13
        ([box(4)], [box(0)], [False]),  # IoU 6 / 14
        ([box(0, 2)], [box(0)], [False]),
        (
            [box(1), box(0)],
            [box(0)],
            [True, False],
        ),  # found once, by the first
        ([box(0), box(0)], [box(0), box(1)], [True, True]),
        ([], [box(0)], []),
        ([box(0)], [], [False]),
    ],
)
def test_match(detections, truth, found):
    assert [i is not None for i in match(detections, truth)] == found


def test_match_names_the_object():
    assert match([box(20), box(50), box(0)], [box(0), box(20)]) == [1, None, 0]


def test_crowds_are_neither_missed_nor_wrong():
    crowd = dict(bbox=[40, 0, 20, 20], category_id=1, iscrowd=1)
    found = [box(0), box(45), box(55), box(70)]
    outcome = assess(found, [box(0), box(20), crowd])
    # The second lies in the crowd, the third by half.
    assert outcome.detections == [box(0), box(70)]
    assert outcome.matched == [0, None]
    assert str(outcome) == '1 of 2 found, 1 false alarm'


def test_one_false_alarm_an_image():
    """Two images may have two false alarms, not three."""

    def outcome(*scores: float) -> Outcome:
        found = [dict(box(90 * (s < 0.9)), score=s) for s in scores]
        return assess(found, [box(0)])

    outcomes = [outcome(0.95, 0.8, 0.4), outcome(0.7, 0.6)]
    least = fair_score(outcomes)
    assert 0.6 < least < 0.7
    kept = total([o.above(least) for o in outcomes])
    assert [d['score'] for d in kept.detections] == [0.95, 0.8, 0.7]
    assert (kept.found, kept.false) == (1, 2)
    assert fair_score(outcomes[1:] + [outcome(0.95)]) == 0


def test_difference():
    """Each detector finds an object that the other one misses."""
    truth = [box(0), box(20), box(40)]
    one = Outcome([box(0), box(20)], truth, [0, 1])
    other = Outcome([box(90), box(40), box(0)], truth, [None, 2, 0])
    assert difference(one, other) == difference(other, one) == 2
    assert difference(one, one) == 0
