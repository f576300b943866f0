"""A mean teacher over one-stage detectors, stock and ours."""

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from da_faster.models.self_training.uncertain_boxes import cover_uncertain

from ..adversarial.test_da_single_stage import HEADS, TRAIN
from ..conftest import CLASSES


@pytest.fixture
def build_teacher(model_cfg):
    def build(kind: str, **detector):
        cfg = dict(
            type=kind,
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
            train_cfg=TRAIN[kind],
            test_cfg=dict(
                nms_pre=100,
                score_thr=0.0,
                nms=dict(type='nms', iou_threshold=0.5),
                max_per_img=20,
            ),
        )
        cfg.update(detector, data_preprocessor=model_cfg.data_preprocessor)
        torch.manual_seed(0)
        model = MODELS.build(
            ConfigDict(
                type='MeanTeacher',
                detector=cfg,
                # An untrained detector's scores are 0.005 to 0.01.
                pseudo_labels=dict(threshold=0.004, ignore_above=None),
            )
        )
        model.init_weights()
        model.self_training = True  # SelfTrainingHook sets it
        return model.train()

    return build


def views(batch: dict) -> dict:
    for parts in batch.values():
        parts['target_weak'] = copy.deepcopy(parts['target'])
    return batch


@pytest.fixture
def target_losses(build_teacher, make_batch):
    """Sets the scores of two boxes in each image, and gives the losses.

    Returns:
        callable: ``prepare(kind, **options)`` builds a teacher. It returns a
        function that takes a score for each image and gives the losses, and
        the inputs of the student: images, and numbers of labels.
    """

    def prepare(kind: str, **options) -> tuple:
        model = build_teacher(kind)
        for name, value in options.items():
            setattr(model, name, value)
        batch = model.data_preprocessor(views(make_batch()), training=True)
        found = model.teacher.predict(
            batch['inputs']['target_weak'],
            copy.deepcopy(batch['data_samples']['target_weak']),
            rescale=False,
        )
        boxes = [sample.pred_instances[:2] for sample in found]
        seen = []
        student_loss = model.student.loss

        def loss(inputs, samples):
            seen.append((inputs, [len(s.gt_instances) for s in samples]))
            return student_loss(inputs, samples)

        def of_scores(*scores: float) -> float:
            for found, score in zip(boxes, scores):
                found.scores[:] = score
            model.teacher.predict = lambda inputs, samples, rescale: [
                DetDataSample(pred_instances=found) for found in boxes
            ]
            losses = model(**copy.deepcopy(batch), mode='loss')
            return sum(
                float(value)
                for name, value in model.parse_losses(losses)[1].items()
                if name.startswith('target_loss')
            )

        model.student.loss = loss
        model.pseudo_labels.ignore_above = 0.001
        return of_scores, seen

    return prepare


@pytest.mark.parametrize('ours', [False, True])
@pytest.mark.parametrize('kind', HEADS)
def test_a_student_learns_the_teacher_s_boxes(
    build_teacher, make_batch, model_cfg, kind, ours
):
    own = dict(type='DASingleStageDetector', domain_neck=model_cfg.domain_neck)
    model = build_teacher(kind, **(own if ours else {}))
    batch = model.data_preprocessor(views(make_batch()), training=True)
    losses = model(**copy.deepcopy(batch), mode='loss')
    assert losses['pseudo_boxes'] > 0
    wanted = {'loss_cls', 'loss_bbox'}
    assert wanted | {f'target_{name}' for name in wanted} <= losses.keys()
    assert 'loss_da_image' not in losses
    total, _ = model.parse_losses(losses)
    total.backward()
    assert model.student.bbox_head.cls_convs[0].conv.weight.grad.any()

    model.self_training = False
    burn_in = model(**copy.deepcopy(batch), mode='loss')
    assert ('loss_da_image' in burn_in) == ours
    assert not any(name.startswith('target_') for name in burn_in)
    model.eval()
    assert len(model(**plain(batch), mode='predict')) == 2


def test_an_image_with_uncertain_boxes_alone_is_replaced(target_losses):
    """FCOS cannot ignore boxes. Its forward must not be left out: others of a
    distributed run would wait for it."""
    losses, seen = target_losses('FCOS')
    assert losses(0.9, 0.002) > 0
    inputs, labels = seen[-1]
    assert labels == [2, 2] and torch.equal(inputs[0], inputs[1])
    assert losses(0.002, 0.002) == 0
    assert losses(0.0, 0.0) > 0  # all of it is background
    assert len(seen) == 6  # source and target, three times


def sample(kept: list, uncertain: list) -> DetDataSample:
    made = DetDataSample(metainfo=dict(img_shape=(4, 6)))
    for name, boxes in (
        ('gt_instances', kept),
        ('ignored_instances', uncertain),
    ):
        boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        setattr(made, name, InstanceData(bboxes=boxes))
    return made


def test_what_is_uncertain_is_covered_but_for_what_is_labelled():
    image = torch.arange(24.0).reshape(1, 4, 6)
    image = torch.nn.functional.pad(image, (0, 2))  # of a larger batch
    untouched = sample([[0, 0, 2, 2]], [])
    images = torch.stack([image, image])
    assert cover_uncertain(images, [untouched, untouched]) is images
    half = sample([[2, 2, 9, 9]], [[-3, 0.5, 1.5, 2], [1, 1, 3.2, 3]])
    first, second = cover_uncertain(images, [half, untouched])
    assert torch.equal(second, image)
    mean = 11.5  # of 0 to 23: the padding does not count
    expected = image[0].clone()
    expected[0:2, 0:2] = mean  # 0.5 to 2 of the height, to 1.5 of the width
    expected[1:3, 1:4] = mean
    expected[2:4, 2:6] = image[0, 2:4, 2:6]
    assert torch.equal(first[0], expected)


@pytest.mark.parametrize('kind, same', [('FCOS', False), ('RetinaNet', True)])
def test_a_detector_that_ignores_no_box_does_not_see_it(
    target_losses, kind, same
):
    """A second box in each image is uncertain."""
    losses, seen = target_losses(kind)
    torch.manual_seed(1)
    losses(0.9, 0.9)
    whole = seen[-1][0]
    losses(torch.tensor([0.9, 0.002]), 0.9)
    part, labels = seen[-1]
    assert labels == [1, 2]
    assert torch.equal(part[1], whole[1])
    assert torch.equal(part[0], whole[0]) == same


def test_a_teacher_shows_more_than_its_test(build_teacher, make_batch):
    def found(**test_cfg) -> list[int]:
        model = build_teacher('RetinaNet')
        model.pseudo_labels.ignore_above = 0.001
        model.teacher.bbox_head.test_cfg.update(test_cfg)
        select = model.pseudo_labels.select
        numbers = []

        def count(detections):
            numbers.extend(len(boxes) for boxes in detections)
            return select(detections)

        model.pseudo_labels.select = count
        batch = model.data_preprocessor(views(make_batch()), training=True)
        model(**batch, mode='loss')
        assert model.teacher.bbox_head.test_cfg.score_thr == test_cfg.get(
            'score_thr', 0.0
        )
        return numbers

    usual = found()
    assert min(usual) > 0
    assert found(score_thr=0.6) == usual


def test_an_image_without_labels_can_teach_nothing(target_losses):
    losses, seen = target_losses('RetinaNet')
    assert losses(0.0, 0.9) > 0
    inputs, labels = seen[-1]
    assert labels == [0, 2] and not torch.equal(inputs[0], inputs[1])
    losses, seen = target_losses('RetinaNet', empty_images=False)
    assert losses(0.0, 0.9) > 0
    inputs, labels = seen[-1]
    assert labels == [2, 2] and torch.equal(inputs[0], inputs[1])
    assert losses(0.0, 0.0) == 0


def plain(batch: dict) -> dict:
    return {key: parts['source'] for key, parts in batch.items()}
