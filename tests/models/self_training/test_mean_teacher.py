"""A student that learns from its average, on tiny detectors."""

import copy
from unittest import mock

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import DetDataSample
from mmengine.runner import load_state_dict
from mmengine.structures import InstanceData
from torch import nn

from da_faster.models import MeanTeacher
from da_faster.models.self_training.distillation import RPNOutputs
from da_faster.models.self_training.uncertain_boxes import (
    UncertainBoxes,
    find_assigners,
    spare_uncertain_boxes,
)
from da_faster.models.self_training.views import move_labels

from ..conftest import CLASSES

CONFIDENT = 0.252  # an untrained detector's scores are 0.246 to 0.254


@pytest.fixture
def build_teacher(model_cfg):
    """Builds a MeanTeacher over the tiny detector, weights always the same."""

    def build(detector: dict | None = None, **options) -> MeanTeacher:
        cfg = model_cfg.copy()
        if detector:
            cfg.update(detector)
        cfg.test_cfg.rcnn.score_thr = 0.0
        torch.manual_seed(0)
        model = MODELS.build(
            dict(
                dict(
                    type='MeanTeacher',
                    detector=cfg,
                    pseudo_labels=dict(threshold=CONFIDENT, ignore_above=0.25),
                ),
                **options,
            )
        )
        model.init_weights()
        model.self_training = True  # SelfTrainingHook sets it
        return model.train()

    return build


@pytest.fixture
def batch(make_batch, build_teacher):
    """Both domains, the target in two equal views, preprocessed."""
    batch = make_batch()
    for key in ('inputs', 'data_samples'):
        batch[key]['target_weak'] = copy.deepcopy(batch[key]['target'])
    return build_teacher().data_preprocessor(batch, training=True)


def losses_of(model, batch) -> dict:
    torch.manual_seed(1)
    return model(**copy.deepcopy(batch), mode='loss')


def test_student_and_teacher_start_as_the_detector_alone(build, build_teacher):
    alone = build().state_dict()
    model = build_teacher()
    for part in (model.student, model.teacher):
        for name, value in part.state_dict().items():
            assert torch.equal(value, alone[name]), name
    assert not any(p.requires_grad for p in model.teacher.parameters())
    model.train()
    assert model.student.training and not model.teacher.training


def test_burn_in_is_the_detector_s_own_training(build, build_teacher, batch):
    model = build_teacher()
    model.self_training = False
    two = {
        key: {d: parts[d] for d in ('source', 'target')}
        for key, parts in batch.items()
    }
    alone = losses_of(build(), two)
    burn_in = losses_of(model, batch)
    assert burn_in.keys() == alone.keys()
    assert 'loss_da_image' in alone
    for name, value in alone.items():
        torch.testing.assert_close(burn_in[name], value, rtol=0, atol=0)


def test_the_losses_are_those_of_the_teacher_s_boxes_as_labels(
    build, build_teacher, batch
):
    model = build_teacher(
        pseudo_labels=dict(threshold=CONFIDENT, ignore_above=None)
    )
    losses = losses_of(model, batch)
    assert 'loss_da_image' not in losses  # classifiers rest after the burn-in

    teacher = build().eval()
    teacher.test_cfg.rcnn.score_thr = 0.0
    teacher.roi_head.test_cfg.score_thr = 0.0
    samples = copy.deepcopy(batch['data_samples']['target'])
    with torch.no_grad():
        found = teacher.predict(
            batch['inputs']['target_weak'],
            copy.deepcopy(samples),
            rescale=False,
        )
    for sample, prediction in zip(samples, found):
        boxes = prediction.pred_instances
        boxes = boxes[boxes.scores >= CONFIDENT]
        sample.gt_instances = InstanceData(
            bboxes=boxes.bboxes, labels=boxes.labels
        )
    count = sum(len(s.gt_instances) for s in samples)
    assert count > 0
    assert float(losses['pseudo_boxes']) == pytest.approx(count / 2)
    student = build()
    torch.manual_seed(1)
    student.loss(batch['inputs']['source'], batch['data_samples']['source'])
    wanted = student.loss(batch['inputs']['target'], samples)
    for name, value in wanted.items():
        got = losses[f'target_{name}']
        for ours, theirs in zip(
            got if isinstance(got, list) else [got],
            value if isinstance(value, list) else [value],
        ):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_blocks_are_hidden_from_the_student_and_after_the_burn_in(
    build_teacher, batch, monkeypatch
):
    model = build_teacher(block_masking=dict(ratio=1.0), align='always')
    seen = {}

    def watch(name, part, method):
        known = getattr(part, method)

        def look(inputs, *args, **kwargs):
            seen.setdefault(name, []).append(inputs)
            return known(inputs, *args, **kwargs)

        monkeypatch.setattr(part, method, look)

    watch('student', model.student, 'loss')
    watch('teacher', model.teacher, 'predict')
    losses_of(model, batch)
    (weak,) = seen['teacher']
    assert torch.equal(weak, batch['inputs']['target_weak'])
    both, target = seen['student']
    assert torch.equal(both['source'], batch['inputs']['source'])
    assert torch.equal(both['target'], batch['inputs']['target'])
    assert not target.any()

    seen.clear()
    model.self_training = False
    losses_of(model, batch)
    (both,) = seen['student']
    assert torch.equal(both['target'], batch['inputs']['target'])


def total(losses: dict, part: str) -> float:
    return sum(
        float(x.detach())
        for name, value in losses.items()
        if part in name and 'loss' in name
        for x in (value if isinstance(value, list) else [value])
    )


def test_weights_of_the_target_s_losses(build_teacher, batch):
    plain = losses_of(build_teacher(), batch)
    half = losses_of(build_teacher(target_weight=0.5), batch)
    assert total(half, 'target_') == pytest.approx(total(plain, 'target_') / 2)
    classes = losses_of(build_teacher(box_losses=False), batch)
    assert total(classes, 'target_loss_bbox') == 0
    assert total(classes, 'target_loss_rpn_bbox') == 0
    assert total(classes, 'target_loss_cls') == total(plain, 'target_loss_cls')
    scored = losses_of(build_teacher(weight_by_score=True), batch)
    assert total(scored, 'target_') == pytest.approx(
        total(plain, 'target_') * float(plain['pseudo_score'])
    )


def test_no_gradient_reaches_the_teacher(build_teacher, batch):
    model = build_teacher()
    total_loss, _ = model.parse_losses(losses_of(model, batch))
    total_loss.backward()
    assert all(p.grad is None for p in model.teacher.parameters())
    assert model.student.backbone.conv1.weight.grad.abs().sum() > 0


def test_classifiers_train_to_the_end_if_asked_to(build_teacher, batch):
    losses = losses_of(build_teacher(align='always'), batch)
    assert {'loss_da_image', 'target_loss_cls'} <= losses.keys()


def called(module, name: str) -> list:
    """Grows by the arguments of each call of a module's method."""
    calls, method = [], getattr(module, name)
    setattr(module, name, lambda *args: (calls.append(args), method(*args))[1])
    return calls


@pytest.mark.parametrize('align', ['burn-in', 'always'])
def test_the_source_is_counted_before_labels_are_chosen(
    build_teacher, batch, align
):
    """Thresholds by frequency compare with it."""
    model = build_teacher(align=align)
    order = []
    labels = model.pseudo_labels
    for part, name in (
        (labels.statistics, 'count_source'),
        (labels, 'select'),
    ):
        method = getattr(part, name)
        setattr(
            part,
            name,
            mock.Mock(
                side_effect=lambda *args, name=name, method=method: (
                    order.append(name),
                    method(*args),
                )[1]
            ),
        )
    losses_of(model, batch)
    assert order == ['count_source', 'select']


def test_teacher_and_student_agree_at_first(build_teacher, batch):
    model = build_teacher()
    assert losses_of(model, batch)['pseudo_agreement'] == 1
    model.iteration = 1
    assert 'pseudo_agreement' not in losses_of(model, batch)
    assert model.student.training


def test_one_weak_view_is_needed(build_teacher, batch):
    for parts in batch.values():
        del parts['target_weak']
    model = build_teacher()
    model.self_training = False  # said at once, not after the burn-in
    with pytest.raises(ValueError, match="dict.type='MultiBranch'"):
        losses_of(model, batch)


@pytest.mark.parametrize('self_training', [False, True])
def test_two_geometries_are_noticed_at_once(
    build_teacher, batch, self_training
):
    model = build_teacher()
    model.self_training = self_training
    batch['data_samples']['target'][1].set_metainfo(dict(flip=True))
    with pytest.raises(ValueError, match='flip differs in the two views'):
        losses_of(model, batch)


def test_something_must_move_the_teacher(build_teacher, batch):
    model = build_teacher()
    model.self_training = None
    with pytest.raises(ValueError, match="dict.type='SelfTrainingHook'"):
        losses_of(model, batch)


def test_the_detector_keeps_its_stock_preprocessor(model_cfg):
    """The detector has the preprocessor, or the top of the config has it."""
    constants = {
        k: v for k, v in model_cfg.pop('data_preprocessor').items()
        if k != 'type'
    }  # fmt: skip
    stock = dict(constants, type='DetDataPreprocessor')
    expected = MODELS.build(dict(constants, type='DomainDataPreprocessor'))
    ours = dict(model_cfg, data_preprocessor=stock)
    other = dict(model_cfg, data_preprocessor=dict(type='BatchFixedSizePad'))
    for options in (
        dict(detector=ours),
        dict(detector=ours, data_preprocessor=dict(type='Unread')),
        dict(detector=model_cfg, data_preprocessor=stock),
    ):
        model = MODELS.build(dict(type='MeanTeacher', **options))
        assert type(model.data_preprocessor) is type(expected)
        assert torch.equal(model.data_preprocessor.mean, expected.mean)
        assert model.data_preprocessor.pad_size_divisor == (
            expected.pad_size_divisor
        )
    assert ours['data_preprocessor'] is stock
    for detector in (other, model_cfg):
        with pytest.raises(ValueError, match='must be a DetDataPreprocessor'):
            MODELS.build(dict(type='MeanTeacher', detector=detector))


def test_predictions_are_the_teacher_s(build_teacher, batch):
    inputs, samples = (batch[k]['source'] for k in ('inputs', 'data_samples'))
    found = {}
    for who in ('teacher', 'student'):
        model = build_teacher(predict_on=who).eval()
        with torch.no_grad():
            for parameter in model.student.parameters():
                parameter.mul_(1.3)
            given, alone = (
                p(inputs, copy.deepcopy(samples), mode='predict')
                for p in (model, getattr(model, who))
            )
        found[who] = given[0].pred_instances.scores
        assert torch.equal(found[who], alone[0].pred_instances.scores)
    assert not torch.equal(found['teacher'], found['student'])


def test_weights_without_a_teacher_load_into_all(build, build_teacher, capsys):
    """MMEngine reports no missing weight."""
    weights = build().state_dict()
    weights = {name: value + 1 for name, value in weights.items()}
    model = build_teacher(keep_source_model=True)
    capsys.readouterr()  # what building them said
    load_state_dict(model, weights)
    assert capsys.readouterr().out == ''
    for part in (model.student, model.teacher, model.source_model):
        for name, value in part.state_dict().items():
            assert torch.equal(value, weights[name])


def instances(*boxes: tuple) -> InstanceData:
    """(x1, y1, x2, y2, label) each."""
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 5)
    return InstanceData(bboxes=boxes[:, :4], labels=boxes[:, 4].long())


def sample(**metainfo) -> DetDataSample:
    return DetDataSample(
        metainfo=dict(dict(img_path='x.png', img_shape=(50, 100)), **metainfo)
    )


def test_boxes_move_between_views_of_two_geometries():
    flip = np.float32([[-1, 0, 100], [0, 1, 0], [0, 0, 1]])
    strong = sample(flip=True, homography_matrix=2 * np.eye(3) @ flip)
    strong.homography_matrix[2, 2] = 1
    strong.set_metainfo(dict(img_shape=(100, 200)))
    weak = sample(flip=False, homography_matrix=np.eye(3))
    parts = [(instances((10, 5, 30, 20, 1)), instances((0, 0, 8, 8, 0)))]
    (moved,) = move_labels([strong], [weak], parts)
    assert moved.gt_instances.bboxes.tolist() == [[140, 10, 180, 40]]
    assert moved.gt_instances.labels.tolist() == [1]
    assert moved.ignored_instances.bboxes.tolist() == [[184, 0, 200, 16]]


def test_views_of_two_geometries_must_say_so():
    with pytest.raises(ValueError, match='flip differs .* x.png'):
        move_labels(
            [sample(flip=True)], [sample(flip=False)], [(instances(),) * 2]
        )


def test_what_is_uncertain_is_not_background(build_teacher, batch):
    """With uncertain boxes everywhere, nothing in the image is background."""
    model = build_teacher(pseudo_labels=dict(threshold=1.0, ignore_above=0.01))
    everywhere = InstanceData(
        bboxes=torch.tensor([[0.0, 0.0, 96.0, 64.0]]),
        labels=torch.tensor([0]),
        scores=torch.tensor([0.5]),
    )
    model.teacher.predict = lambda inputs, samples, rescale: [
        DetDataSample(pred_instances=everywhere) for _ in samples
    ]
    losses = losses_of(model, batch)
    assert losses['pseudo_empty'] == 1
    # Anchors that reach beyond the image are not inside the box by half.
    inside = total(losses, 'target_loss_cls')
    model.pseudo_labels.ignore_above = None
    background = total(losses_of(model, batch), 'target_loss_cls')
    assert inside == 0 < background


def assigned(
    ignored: list, objects: list, kind: type = UncertainBoxes, **options
) -> list:
    """MaxIoUAssigner's result for three priors, with boxes to ignore."""
    head = nn.Module()
    head.assigner = TASK_UTILS.build(
        dict(
            type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5, **options
        )
    )
    assert spare_uncertain_boxes(head)
    priors = [[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]]
    boxes = instances(*ignored)
    result = copy.deepcopy(head).assigner.assign(
        InstanceData(priors=torch.tensor(priors).float()),
        instances(*objects),
        kind(bboxes=boxes.bboxes, labels=boxes.labels),
    )
    return result.gt_inds.tolist()


@pytest.mark.parametrize('kind', ['VFNetHead', 'FreeAnchorRetinaHead'])
def test_losses_that_count_all_priors_have_no_ignored_boxes(kind):
    settings = dict(type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.4)

    def head(kind):
        return MODELS.build(
            dict(
                type=kind,
                num_classes=1,
                in_channels=8,
                feat_channels=32,
                stacked_convs=1,
                train_cfg=dict(assigner=settings),
            )
        )

    assert len(find_assigners(head('RetinaHead'))) == 1
    assert find_assigners(head(kind)) == []


def test_ignored_boxes_take_nothing_from_the_labels():
    label_, elsewhere = (0, 0, 10, 10, 0), (18, 0, 32, 10, 1)
    assert assigned([], [label_]) == [1, 0, 0]
    assert assigned([elsewhere], [label_]) == [1, -1, 0]
    # The teacher also sees another class on the same object.
    assert assigned([(0, 0, 10, 10, 1), elsewhere], [label_]) == [1, -1, 0]
    # Less than half of the prior is inside.
    assert assigned([(26, 0, 40, 10, 1)], [label_]) == [1, 0, 0]
    # An image without any label.
    assert assigned([elsewhere], []) == [0, -1, 0]


def test_ignored_boxes_of_annotations_are_ignored_as_ever():
    """MMDetection takes the prior from the label, too."""
    boxes = [(0, 0, 10, 10, 1), (18, 0, 32, 10, 1)]
    for options, wanted in (
        (dict(), [1, 0, 0]),
        (dict(ignore_iof_thr=0.5, match_low_quality=False), [-1, -1, 0]),
    ):
        label_ = (0, 0, 10, 10, 0)
        assert assigned(boxes, [label_], InstanceData, **options) == wanted


@pytest.mark.parametrize(
    'options, sentence',
    [
        (dict(align='never'), "align must be one of .*, got 'never'"),
        (dict(predict_on='both'), 'predict_on must be one of'),
        (dict(target_weight=-1), 'target_weight must not be negative'),
    ],
)
def test_wrong_options(build_teacher, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        build_teacher(**options)


def test_soft_labels_are_learned_until_nothing_is_left(build_teacher, batch):
    """With one view and equal weights, the loss is the least there can be."""
    options = dict(distillation=dict(type='TwoStageDistillation'))
    model = build_teacher(**options)
    losses = losses_of(model, batch)
    for name in ('rpn_bbox', 'bbox'):
        assert losses[f'target_loss_{name}'] == 0
    with torch.no_grad():
        for parameter in model.student.parameters():
            parameter.mul_(1.2)
    apart = losses_of(model, batch)
    for name in ('rpn_cls', 'rpn_bbox', 'cls', 'bbox'):
        key = f'target_loss_{name}'
        assert apart[key] > losses[key], name


def test_the_teacher_looks_once_for_soft_labels(build_teacher, batch):
    """The RPN's outputs of the detection equal those of a second pass."""
    model = build_teacher(
        distillation=dict(type='TwoStageDistillation'), weight_by_score=False
    )
    with torch.no_grad():
        for parameter in model.student.parameters():
            parameter.mul_(1.2)
    distil, given = model.distillation.forward, []
    model.distillation.forward = lambda *args: (
        given.append(args) or distil(*args)
    )
    calls = called(model.teacher, 'extract_feat')
    losses = losses_of(model, batch)
    assert len(calls) == 1
    ((student, teacher, strong, seen, samples),) = given
    with torch.no_grad():
        x = teacher.extract_feat(batch['inputs']['target_weak'])
        again = RPNOutputs(x, *teacher.rpn_head(x))
    for ours, theirs in zip(seen, again):
        assert all(map(torch.equal, ours, theirs))
    assert not teacher.rpn_head._forward_hooks
    assert losses['target_loss_rpn_bbox'] > 0


def test_distillation_needs_two_stages(model_cfg, build_teacher):
    with pytest.raises(ValueError, match='RetinaNet has no RPN'):
        MODELS.build(
            dict(
                type='MeanTeacher',
                distillation=dict(type='TwoStageDistillation'),
                detector=dict(
                    type='RetinaNet',
                    data_preprocessor=model_cfg.data_preprocessor,
                    backbone=model_cfg.backbone,
                    neck=None,
                    bbox_head=dict(
                        type='RetinaHead', num_classes=CLASSES, in_channels=32
                    ),
                ),
            )
        )


def test_masks_of_labels_can_be_padded():
    """The teacher's are of booleans, which OpenCV does not pad (CondInst)."""
    found = InstanceData(
        bboxes=torch.tensor([[1.0, 1, 3, 3]]),
        labels=torch.tensor([0]),
        masks=torch.ones(1, 4, 4, dtype=torch.bool),
    )
    sample = DetDataSample(metainfo=dict(img_shape=(4, 4)))
    (labelled,) = move_labels([sample], [sample], [(found, found[:0])])
    padded = labelled.gt_instances.masks.pad((6, 6)).masks
    assert padded.shape == (1, 6, 6) and padded.sum() == 16
