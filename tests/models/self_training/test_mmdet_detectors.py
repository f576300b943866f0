"""A mean teacher over MMDetection's own detectors, narrowed."""

import copy

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmdet.utils import register_all_modules
from mmengine.hub import get_config
from mmengine.logging import MessageHub
from mmengine.structures import InstanceData

from ...small_detectors import CONFIGS, narrow

SIZE = 64, 96


@pytest.fixture(params=CONFIGS)
def detector(request):
    register_all_modules()
    cfg = get_config(f'mmdet::{CONFIGS[request.param]}.py').model
    narrow(cfg)
    return cfg


def make_batch(masks: bool) -> dict:
    """An image of each kind twice; the source's with two boxes."""
    generator = torch.Generator().manual_seed(0)
    inputs, samples = {}, {}
    for name in ('source', 'target', 'target_weak'):
        inputs[name] = [
            torch.randint(0, 256, (3, *SIZE), generator=generator).byte()
            for _ in range(2)
        ]
        samples[name] = [
            DetDataSample(
                metainfo=dict(
                    img_shape=SIZE, ori_shape=SIZE, scale_factor=(1.0, 1.0)
                ),
                gt_instances=InstanceData(),
            )
            for _ in range(2)
        ]
    for sample in samples['source']:
        sample.gt_instances.bboxes = torch.tensor(
            [[4.0, 8.0, 40.0, 44.0], [30.0, 10.0, 90.0, 60.0]]
        )
        sample.gt_instances.labels = torch.tensor([0, 3])
        if masks:
            sample.gt_instances.masks = BitmapMasks(
                np.ones((2, *SIZE), np.uint8), *SIZE
            )
    return dict(inputs=inputs, data_samples=samples)


def answers(masks: bool):
    """A teacher that finds two objects in the first image; of a third, and
    of one in the second image, it is uncertain."""

    def predict(inputs, samples, rescale):
        for sample, scores in zip(samples, ((0.9, 0.8, 0.3), (0.3,))):
            found = InstanceData(
                bboxes=torch.tensor(
                    [
                        [5.0, 5.0, 40.0, 40.0],
                        [30.0, 10.0, 80.0, 60.0],
                        [0.0, 0.0, 90.0, 60.0],
                    ]
                ),
                labels=torch.tensor([0, 1, 2]),
            )[: len(scores)]
            found.scores = torch.tensor(scores)
            if masks:
                found.masks = torch.ones(len(found), *SIZE, dtype=torch.bool)
            sample.pred_instances = found
        return samples

    return predict


def losses_of(model, masks: bool) -> dict:
    batch = model.data_preprocessor(make_batch(masks), training=True)
    torch.manual_seed(0)
    return model.parse_losses(model(**batch, mode='loss'))


def test_burn_in_labels_and_predictions(detector):
    masks = 'mask_head' in detector.get('roi_head', ())
    for augment in detector.data_preprocessor.get('batch_augments') or ():
        # YOLOX draws another size each iteration.
        augment.update(interval=1, random_size_range=(64, 128))
    MessageHub.get_current_instance().update_info('iter', 0)
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='MeanTeacher',
            detector=detector,
            pseudo_labels=dict(threshold=0.5),
            agreement_interval=0,
        )
    )
    model.init_weights()
    model.train()

    model.self_training = False
    _, burn_in = losses_of(model, masks)
    assert not any(name.startswith('target_') for name in burn_in)

    # The teacher's own detections have the form that labels need.
    model.self_training = True
    losses_of(model, masks)
    model.teacher.predict = answers(masks)
    model.pseudo_labels.reset()
    total, losses = losses_of(model, masks)
    assert losses['pseudo_boxes'] == 1
    assert losses['pseudo_empty'] == 0.5
    names = {name.removeprefix('target_') for name in losses}
    assert {n for n in burn_in if 'loss' in n} <= names
    assert torch.isfinite(total)
    total.backward()
    gradients = [p.grad for p in model.student.backbone.parameters()]
    assert any(g is not None and g.any() for g in gradients)
    assert all(p.grad is None for p in model.teacher.parameters())

    # Boxes to learn from matter.
    model.pseudo_labels.thresholds.fill_(0.95)
    without = losses_of(model, masks)[1]
    assert any(
        without[name] != value
        for name, value in losses.items()
        if name.startswith('target_loss')
    )
    del model.teacher.predict
    model.eval()
    batch = model.data_preprocessor(
        {key: parts['source'] for key, parts in make_batch(masks).items()}
    )
    assert len(model(**copy.deepcopy(batch), mode='predict')) == 2
    first, second = (
        part(**copy.deepcopy(batch), mode='predict')[0].pred_instances.scores
        for part in (model, model.teacher)
    )
    assert torch.equal(first, second)


def test_masks_of_flipped_images_stay_in_their_view():
    """Cascade Mask R-CNN flips the masks of such an image back."""
    register_all_modules()
    name = 'cascade_rcnn/cascade-mask-rcnn_r50_fpn_1x_coco'
    detector = get_config(f'mmdet::{name}.py').model
    narrow(detector)
    detector.test_cfg.rcnn.update(score_thr=0.0, max_per_img=4)
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='MeanTeacher',
            detector=detector,
            pseudo_labels=dict(threshold=0.01, ignore_above=None),
        )
    )
    model.init_weights()
    model.train()
    model.self_training = True
    plain, flipped = make_batch(masks=True), make_batch(masks=True)
    for view in ('target', 'target_weak'):
        for sample in flipped['data_samples'][view]:
            sample.set_metainfo(dict(flip=True, flip_direction='horizontal'))
    losses = []
    for batch in (plain, flipped):
        batch = model.data_preprocessor(batch, training=True)
        torch.manual_seed(0)
        losses.append(model.parse_losses(model(**batch, mode='loss'))[1])
    assert losses[0]['pseudo_boxes'] > 0
    assert losses[0]['pseudo_agreement'] == 1
    assert losses[0] == losses[1]
