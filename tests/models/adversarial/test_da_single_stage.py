"""DASingleStageDetector as a tiny RetinaNet and a tiny FCOS."""

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict

from ..conftest import CLASSES, make_sample
from .test_da_faster_rcnn import (
    assert_same,
    flat,
    grads,
    loss,
    plain_batch,
    strengthen,
)

HEADS = dict(
    RetinaNet=dict(
        type='RetinaHead',
        anchor_generator=dict(
            type='AnchorGenerator',
            scales=[2, 4],
            ratios=[0.5, 1.0, 2.0],
            strides=[8, 16],
        ),
        loss_bbox=dict(type='L1Loss'),
    ),
    FCOS=dict(
        type='FCOSHead',
        strides=[8, 16],
        regress_ranges=((-1, 32), (32, 1e8)),
        norm_cfg=None,
    ),
)
TRAIN = dict(
    RetinaNet=dict(
        assigner=dict(
            type='MaxIoUAssigner',
            pos_iou_thr=0.5,
            neg_iou_thr=0.4,
            min_pos_iou=0,
        ),
        sampler=dict(type='PseudoSampler'),
        allowed_border=-1,
        pos_weight=-1,
    ),
    FCOS=None,
)


@pytest.fixture(params=HEADS)
def kind(request) -> str:
    return request.param


@pytest.fixture
def build(model_cfg, kind):
    """Builds a detector, ``stock`` or ours, always from the same seed."""

    def build(stock: bool = False, **overrides):
        cfg = dict(
            type='DASingleStageDetector',
            data_preprocessor=model_cfg.data_preprocessor,
            backbone=dict(model_cfg.backbone, out_indices=(1, 2)),
            neck=dict(
                type='FPN', in_channels=[16, 32], out_channels=32, num_outs=2
            ),
            bbox_head=dict(
                HEADS[kind],
                num_classes=CLASSES,
                in_channels=32,
                feat_channels=16,
                stacked_convs=1,
            ),
            domain_neck=model_cfg.domain_neck,
            train_cfg=TRAIN[kind],
            test_cfg=dict(
                nms_pre=100,
                score_thr=0.0,
                nms=dict(type='nms', iou_threshold=0.5),
                max_per_img=20,
            ),
        )
        cfg.update(overrides)
        if stock:
            cfg.update(
                type=kind,
                data_preprocessor=dict(
                    cfg['data_preprocessor'], type='DetDataPreprocessor'
                ),
            )
            cfg.pop('domain_neck')
        torch.manual_seed(0)
        model = MODELS.build(ConfigDict(cfg))
        model.init_weights()
        return model.train()

    return build


def test_domain_loss_is_added_to_the_source_s_losses(build, make_batch):
    adapted = loss(build(), make_batch())
    plain = loss(build(domain_neck=None), make_batch())
    image = adapted.pop('loss_da_image')
    assert 0 < image < 5
    assert 0 <= adapted.pop('acc_da_image') <= 100
    assert_same(adapted, plain)
    # Target images change no detection loss.
    alone = flat(loss(build(domain_neck=None), plain_batch(make_batch)))
    assert alone.keys() == plain.keys()
    for name, value in flat(plain).items():
        torch.testing.assert_close(value, alone[name])


def test_plain_batch_equals_the_stock_detector_to_the_last_bit(
    build, make_batch
):
    stock, ours = build(stock=True), build()
    state = ours.state_dict()
    assert all(torch.equal(state[k], v) for k, v in stock.state_dict().items())
    assert all(
        k.startswith('domain_neck.')
        for k in state.keys() - stock.state_dict().keys()
    )

    results = []
    for model in (stock, ours):
        losses = loss(model, plain_batch(make_batch))
        model.parse_losses(losses)[0].backward()
        results.append((losses, grads(model)))
    assert_same(results[0][0], results[1][0])
    assert_same(results[0][1], results[1][1])

    predictions = []
    for model in (stock, ours):
        model.eval()
        with torch.no_grad():
            data = model.data_preprocessor(plain_batch(make_batch), False)
            predictions.append(model(**data, mode='predict'))
    for a, b in zip(*predictions):
        assert len(a.pred_instances) > 0
        assert torch.equal(a.pred_instances.bboxes, b.pred_instances.bboxes)
        assert torch.equal(a.pred_instances.scores, b.pred_instances.scores)


def test_target_labels_reach_no_loss(build, make_batch):
    model = build()
    clean = loss(model, make_batch())
    batch = make_batch()
    poison = torch.Generator().manual_seed(5)
    batch['data_samples']['target'] = [
        make_sample(True, poison) for _ in range(2)
    ]
    assert_same(clean, loss(model, batch))


def test_reversed_gradient_reaches_the_backbone_scaled(
    build, make_batch, model_cfg
):

    def image_grad(scale: float) -> dict:
        model = build(domain_neck=dict(model_cfg.domain_neck))
        strengthen(model.domain_neck)
        model.domain_neck.grad_scale = scale
        loss(model, make_batch())['loss_da_image'].backward()
        return grads(model)

    once, twice, none = (image_grad(s) for s in (0.1, 0.2, 0.0))
    assert any(name.startswith('backbone') for name in once)
    for name in once:
        if name.startswith('domain_neck'):
            torch.testing.assert_close(once[name], twice[name])
        else:
            assert not none[name].any()
            torch.testing.assert_close(twice[name], 2 * once[name])


@pytest.mark.parametrize('num_source, num_target', [(1, 1), (1, 3), (3, 1)])
def test_any_number_of_images(build, make_batch, num_source, num_target):
    model = build()
    labels = []
    image_loss = model.domain_neck.loss
    model.domain_neck.loss = lambda x, is_source, cells: (
        labels.append(is_source.tolist()) or image_loss(x, is_source, cells)
    )
    total, _ = model.parse_losses(
        loss(model, make_batch(num_source, num_target))
    )
    total.backward()
    assert torch.isfinite(total)
    assert labels == [[True] * num_source + [False] * num_target]
    assert all(p.grad is not None for p in model.parameters()), 'DDP needs it'


def test_padding_is_ignored(build, make_batch):
    """A target image of half the height is padded to the full height."""
    model = build()
    batch = make_batch()
    batch['inputs']['target'][0] = batch['inputs']['target'][0][:, :32]
    batch['data_samples']['target'][0].set_metainfo(dict(img_shape=(32, 96)))
    weights = []
    model.domain_neck.ignore_padding = True
    model.domain_neck.loss = lambda x, is_source, cells: (
        weights.append(cells) or {}
    )
    loss(model, batch)
    # 8x12 cells of 8 pixels and 4x6 of 16.
    assert weights[0].sum(dim=1).tolist() == [120, 120, 60, 120]


def test_the_image_classifier_sees_a_lattice(build, make_batch):
    """Every fourth of 8x12 and 4x6 cells is classified."""
    model = build()
    model.domain_neck.cell_stride = 4
    shapes = []
    model.domain_neck.classifiers[0].register_forward_hook(
        lambda module, args, out: shapes.append(out.shape[2:])
    )
    np.random.seed(0)
    loss(model, make_batch())
    assert shapes[0] == (2, 3)
    assert shapes[1] in ((1, 1), (1, 2))
