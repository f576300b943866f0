"""What is said without labels."""

import math

from da_faster.adaptation.verdict import (
    CAVEAT,
    NO_SIGN,
    Detections,
    Verdict,
)


def seen(cars: float, people: float, score: float = 0.8) -> Detections:
    boxes = cars + people
    return Detections(
        boxes=boxes,
        by_class=dict(car=cars, person=people),
        score=score if boxes else math.nan,
        empty=0.0 if boxes else 1.0,
        fis=-0.9 if boxes else math.nan,
    )


def verdict(before, after, agreement: float = 0.9) -> Verdict:
    return Verdict(30, 0.5, before, after, agreement)


def test_little_change_is_no_reason_to_worry():
    found = verdict(seen(3, 2), seen(3.5, 2))
    assert found.warnings() == []
    assert NO_SIGN in found.text()
    assert found.text().endswith(CAVEAT)
    assert '| car an image | 3.00 | 3.50 |' in found.text()


def test_a_class_that_is_lost_is_named():
    (said,) = verdict(seen(5, 1), seen(5, 0.1)).warnings()
    assert (
        said == 'It hardly finds person any more: 0.10 an image, before 1.00.'
    )


def test_other_changes_are_named():
    said = ' '.join(verdict(seen(5, 2), seen(2, 1), 0.4).warnings())
    assert 'less than half as many' in said
    assert 'agree on less than half' in said
    (said,) = verdict(seen(5, 2), seen(12, 3)).warnings()
    assert 'more than twice as many' in said
    (said,) = verdict(seen(5, 2, 0.9), seen(5, 2, 0.7)).warnings()
    assert said == 'It is less sure of what it finds.'


def test_nothing_found_is_told():
    text = verdict(seen(2, 1), seen(0, 0), 0.0).text()
    assert '| their mean score | 0.80 | none |' in text
    assert 'It hardly finds car any more' in text


def test_nothing_found_by_either_is_no_good_sign():
    text = verdict(seen(0, 0), seen(0, 0), 1.0).text()
    assert 'Neither finds anything' in text
    assert NO_SIGN not in text
