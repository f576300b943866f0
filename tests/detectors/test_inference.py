"""Errors for detectors that cannot be used: one sentence each."""

import pytest
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from da_faster.detectors import inference
from da_faster.errors import UserError


class PanopticFPN:
    pass


@pytest.fixture
def looking(monkeypatch):
    """Has every detector say something of an image, or fail."""

    def say(answer):
        def answered(model, image):
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(inference, 'inference_detector', answered)

    return say


def attempt() -> None:
    inference.check_detections(PanopticFPN(), 'a.png', 'cfg.py')


def test_one_that_finds_no_boxes(looking):
    looking(DetDataSample())
    with pytest.raises(UserError, match='PanopticFPN predicts no boxes: take'):
        inference.detect(PanopticFPN(), 'a.png')
    with pytest.raises(UserError, match='cfg.py: PanopticFPN predicts no box'):
        attempt()
    looking(DetDataSample(pred_instances=InstanceData(scores=[], labels=[])))
    with pytest.raises(UserError, match='cfg.py predicts no bboxes: it takes'):
        attempt()


def test_one_that_fails(looking):
    looking(RuntimeError('needs a text'))
    with pytest.raises(
        UserError, match='cfg.py cannot look at a.png .RuntimeError: needs a '
    ):
        attempt()
