"""Features of images and boxes, by hand and against MMDetection's heads."""

from types import SimpleNamespace

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from mmdet.utils import register_all_modules
from mmengine.hub import get_config
from mmengine.structures import InstanceData
from torch import nn

from da_faster.features.extraction import (
    box_vectors,
    features_of,
    gather,
    image_vector,
    vector_head,
)

from ..small_detectors import CONFIGS, narrow


@pytest.fixture
def build():
    """A small detector of MMDetection with random weights."""

    def build(name: str) -> torch.nn.Module:
        register_all_modules()
        cfg = get_config(f'mmdet::{CONFIGS[name]}.py')
        narrow(cfg.model)
        torch.manual_seed(0)
        return MODELS.build(cfg.model).eval()

    return build


def test_an_image_is_the_mean_of_its_cells():
    """17x32 of 32x64 pixels cover both rows, two columns of 2x4 cells."""
    numbers = torch.arange(8.0).reshape(1, 1, 2, 4)
    maps = numbers.repeat(1, 2, 1, 1), torch.tensor([[[[3.0, 99.0]]]])
    sample = DetDataSample(
        metainfo=dict(img_shape=(17, 32), batch_input_shape=(32, 64))
    )
    mean = (0 + 1 + 4 + 5) / 4
    assert image_vector(maps, sample).tolist() == [mean, mean, 3]


@pytest.mark.parametrize('name', ['FasterRCNN', 'CascadeRCNN'])
@torch.no_grad()
def test_a_box_is_what_the_classifier_reads(build, name):
    model = build(name)
    maps = tuple(torch.rand(1, 256, 16 // 2**i, 16 // 2**i) for i in range(5))
    boxes = torch.tensor([[0.0, 0, 20, 30], [8, 8, 60, 60], [0, 0, 64, 9]])
    vectors = box_vectors(model, maps, boxes, (64, 64))
    head, stage = model.roi_head, ()
    if name == 'CascadeRCNN':
        stage = (2,)
    scores = head._bbox_forward(*stage, maps, bbox2roi([boxes]))['cls_score']
    assert torch.equal(vector_head(model).fc_cls(vectors), scores)
    assert box_vectors(model, maps, boxes[:0], (64, 64)).shape == (0, 32)


@torch.no_grad()
def test_without_a_second_stage_a_box_is_a_mean_of_the_maps(build):
    model = build('RetinaNet')
    assert vector_head(model) is None
    # Stride 8 and 16; the left half is 1, the right half 3.
    maps = tuple(
        torch.tensor([1.0, 3]).repeat_interleave(n).expand(1, 2, 2 * n, 2 * n)
        for n in (4, 2)
    )
    boxes = torch.tensor([[4.0, 4, 20, 60], [44, 4, 60, 60]])
    vectors = box_vectors(model, maps, boxes, (64, 64))
    torch.testing.assert_close(
        vectors, torch.tensor([[1.0] * 4, [3.0] * 4]), atol=0, rtol=1e-5
    )


def test_boxes_keep_their_image():
    one, none = torch.ones(1).numpy(), torch.ones(0).numpy()
    found = gather(
        [
            (one, torch.ones(2, 3).numpy(), torch.tensor([4, 5]).numpy()),
            (one, torch.ones(0, 3).numpy(), none.astype(int)),
            (one, torch.ones(1, 3).numpy(), torch.tensor([6]).numpy()),
        ]
    )
    assert found.box_images.tolist() == [0, 0, 2]
    assert found.labels.tolist() == [4, 5, 6]
    assert found.images.shape == (3, 1) and found.boxes.shape == (3, 3)


def test_the_best_boxes_in_pixels_of_the_input(monkeypatch):
    """An image of 16x16 pixels is resized to 32x64."""
    sample = DetDataSample(
        metainfo=dict(
            img_shape=(32, 64),
            batch_input_shape=(32, 64),
            scale_factor=(4.0, 2.0),
        )
    )
    sample.pred_instances = InstanceData(
        bboxes=torch.tensor([[0.0, 0, 1, 1], [8, 0, 16, 8], [0, 8, 8, 16]]),
        scores=torch.tensor([0.1, 0.8, 0.9]),
        labels=torch.tensor([0, 1, 2]),
    )
    quarters = torch.tensor([[1.0, 2], [3, 4]])
    maps = quarters.repeat_interleave(16, 0).repeat_interleave(32, 1)
    model = SimpleNamespace(with_neck=True, neck=nn.Identity())

    def look(model, image):
        model.neck((maps[None, None],))
        return sample

    monkeypatch.setattr('da_faster.features.extraction.predict_sample', look)
    image, boxes, labels = features_of(model, 'x.png', boxes=2)
    assert image.tolist() == [2.5]
    assert labels.tolist() == [2, 1]
    # Near an edge, RoIAlign mixes in a little of the next cell.
    assert boxes[:, 0].tolist() == pytest.approx([3, 2], abs=0.02)
