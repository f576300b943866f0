"""The verdict on an adaptation, without labels."""

import math
from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import InstanceData

from da_faster.adaptation import verdict as module
from da_faster.adaptation.verdict import (
    CAVEAT,
    NO_SIGN,
    Detections,
    Verdict,
)
from da_faster.errors import UserError


def seen(cars: float, people: float, score: float = 0.8) -> Detections:
    boxes = cars + people
    return Detections(
        boxes=boxes,
        by_class=dict(car=cars, person=people),
        score=score if boxes else math.nan,
        empty=0.0 if boxes else 1.0,
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
    assert said == (
        'The adapted one hardly finds person any more: 0.10 an image, '
        'before 1.00.'
    )


def test_other_changes_are_named():
    said = ' '.join(verdict(seen(5, 2), seen(2, 1), 0.4).warnings())
    assert 'less than half as many' in said
    assert 'agree on less than half' in said
    (said,) = verdict(seen(5, 2), seen(12, 3)).warnings()
    assert 'more than twice as many' in said
    (said,) = verdict(seen(5, 2, 0.9), seen(5, 2, 0.7)).warnings()
    assert said == 'The adapted one finds objects with lower scores.'


def test_nothing_found_is_told():
    text = verdict(seen(2, 1), seen(0, 0), 0.0).text()
    assert '| their mean score | 0.80 | none |' in text
    assert 'The adapted one hardly finds car any more' in text


def test_most_of_many_classes_are_not_there():
    text = verdict(seen(3, 0), seen(2, 0)).text()
    assert '| car an image |' in text and 'person an image' not in text


def test_they_agree_on_what_they_find(monkeypatch, tmp_path):
    """Images in which neither detector finds anything do not count."""
    box = torch.tensor([[0.0, 0.0, 4.0, 4.0]])
    found = dict(
        ours=InstanceData(
            bboxes=box, scores=torch.ones(1), labels=torch.zeros(1).long()
        ),
        nothing=InstanceData(
            bboxes=box[:0], scores=box[:0, 0], labels=box[:0, 0].long()
        ),
    )
    found['other'] = found['ours'].clone()
    found['other'].bboxes = box + 10

    def compared(*images) -> Verdict:
        """Compares two detectors on an image for each pair of names."""
        pairs = {f'{i}': pair for i, pair in enumerate(images)}

        def read(config, checkpoint):
            model = torch.nn.Linear(1, 1)
            model.dataset_meta = dict(classes=('car',))
            assert config == str(checkpoint.with_suffix('.py'))
            model.which = int(checkpoint.stem)
            return SimpleNamespace(open=lambda: model)

        monkeypatch.setattr(module.Detector, 'read', read)
        monkeypatch.setattr(
            module, 'detect', lambda m, i: found[pairs[i][m.which]]
        )
        return module.compare(
            tmp_path / '0.pth', tmp_path / '1.pth', list(pairs), 0.5
        )

    for name in ('0.py', '1.py'):
        with pytest.raises(UserError, match=f'{name} is missing beside'):
            compared(('ours', 'other'))
        (tmp_path / name).touch()
    apart = compared(('ours', 'other'), *[('nothing', 'nothing')] * 2)
    assert apart.agreement == 0
    assert 'agree on less than half' in ' '.join(apart.warnings())
    both = compared(('ours', 'ours'), ('ours', 'nothing'))
    assert both.agreement == pytest.approx(2 / 3)
    empty = compared(('nothing', 'nothing'))
    assert math.isnan(empty.agreement)
    assert 'They agree' not in empty.text()
    assert 'On one target image,' in empty.text()


def test_nothing_found_by_either_is_no_good_sign():
    text = verdict(seen(0, 0), seen(0, 0), math.nan).text()
    assert 'Neither finds anything' in text
    assert 'They agree' not in text
    assert NO_SIGN not in text
