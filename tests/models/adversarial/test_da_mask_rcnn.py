"""Mask R-CNN with domain adaptation: a small detector, a tiny mask head."""

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks

from ..conftest import CLASSES
from .test_da_faster_rcnn import (
    DETECTION,
    DOMAIN,
    assert_same,
    flat,
    grads,
    loss,
)

DOMAIN_KEYS = ('domain_neck', 'instance_domain_head', 'loss_consistency')


@pytest.fixture
def mask_cfg(model_cfg):
    model_cfg.data_preprocessor.pad_mask = True
    model_cfg.roi_head.update(
        mask_roi_extractor=dict(
            type='SingleRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=1),
            out_channels=32,
            featmap_strides=[16],
        ),
        mask_head=dict(
            type='FCNMaskHead',
            num_convs=1,
            in_channels=32,
            conv_out_channels=8,
            num_classes=CLASSES,
        ),
    )
    model_cfg.train_cfg.rcnn.mask_size = 14
    model_cfg.test_cfg.rcnn.update(mask_thr_binary=0.5, score_thr=0.0)
    return model_cfg


@pytest.fixture
def make_mask_batch(make_batch):
    """A batch of both domains with a mask in each source box.

    The second source image is smaller. The target has no boxes and no masks.
    """

    def make(plain: bool = False) -> dict:
        batch = make_batch()
        batch['inputs']['source'][1] = batch['inputs']['source'][1][:, :60]
        for inputs, sample in zip(
            batch['inputs']['source'], batch['data_samples']['source']
        ):
            size = tuple(inputs.shape[1:])
            sample.set_metainfo(dict(img_shape=size, ori_shape=size))
            boxes = sample.gt_instances.bboxes.clamp(max=60)
            sample.gt_instances.bboxes = boxes
            masks = np.zeros((len(boxes), *size), dtype=np.uint8)
            for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist()):
                mask[y1:y2, x1 : (x1 + x2) // 2] = 1
            sample.gt_instances.masks = BitmapMasks(masks, *size)
        if plain:
            return {key: batch[key]['source'] for key in batch}
        return batch

    return make


def test_masks_are_a_loss_of_the_source(build, mask_cfg, make_mask_batch):
    model = build()
    batch = model.data_preprocessor(make_mask_batch(), True)
    for sample in batch['data_samples']['source']:
        masks = sample.gt_instances.masks
        assert (masks.height, masks.width) == (64, 96)  # as the images
    torch.manual_seed(1)
    losses = model(**batch, mode='loss')
    assert flat(losses).keys() == DETECTION | DOMAIN | {'loss_mask'}
    total, _ = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total)
    assert losses['loss_mask'] > 0
    assert all(p.grad is not None for p in model.parameters()), 'DDP needs it'


def test_mask_loss_is_that_of_the_source_alone(
    build, mask_cfg, make_mask_batch
):
    model = build(**{key: None for key in DOMAIN_KEYS})
    both = loss(model, make_mask_batch())
    alone = loss(model, make_mask_batch(plain=True))
    torch.testing.assert_close(both['loss_mask'], alone['loss_mask'])


def test_masks_of_the_target_reach_no_loss(build, mask_cfg, make_mask_batch):
    model = build()
    batch = make_mask_batch()
    batch['data_samples']['target'] = (
        make_mask_batch()['data_samples']['source'][:1] * 2
    )
    # Only the shape of the image is read of the target.
    for sample in batch['data_samples']['target']:
        sample.set_metainfo(dict(img_shape=(64, 96)))
    assert_same(loss(model, make_mask_batch()), loss(model, batch))


def test_plain_batch_equals_stock_mask_rcnn_to_the_last_bit(
    build, mask_cfg, make_mask_batch
):
    ours = build()
    stock = dict(
        type='MaskRCNN',
        roi_head=dict(mask_cfg.roi_head, type='StandardRoIHead'),
        data_preprocessor=dict(
            mask_cfg.data_preprocessor, type='DetDataPreprocessor'
        ),
    )
    for key in DOMAIN_KEYS:
        mask_cfg.pop(key)
    stock = build(**stock)
    state = ours.state_dict()
    assert all(torch.equal(state[k], v) for k, v in stock.state_dict().items())

    results = []
    for model in (stock, ours):
        losses = loss(model, make_mask_batch(plain=True))
        model.parse_losses(losses)[0].backward()
        results.append((losses, grads(model)))
    assert 'loss_mask' in results[0][0]
    assert_same(results[0][0], results[1][0])
    assert_same(results[0][1], results[1][1])

    predictions = []
    for model in (stock, ours):
        model.eval()
        with torch.no_grad():
            data = model.data_preprocessor(make_mask_batch(plain=True), False)
            predictions.append(model(**data, mode='predict'))
    for a, b in zip(*predictions):
        assert len(a.pred_instances) > 0
        for key in ('bboxes', 'scores', 'masks'):
            assert torch.equal(a.pred_instances[key], b.pred_instances[key])
