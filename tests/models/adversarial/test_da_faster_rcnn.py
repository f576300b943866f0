"""DAFasterRCNN: plain batches, reversed gradients, no target labels."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from torch.utils._python_dispatch import TorchDispatchMode

from ..conftest import make_sample

DETECTION = {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'acc', 'loss_bbox'}
IMAGE = {'loss_da_image', 'acc_da_image'}
INSTANCE = {'loss_da_instance', 'acc_da_instance'}
DOMAIN = {*IMAGE, *INSTANCE, 'loss_da_consistency'}
OFF = dict(domain_neck=None, instance_domain_head=None, loss_consistency=None)


def loss(model, batch) -> dict:
    torch.manual_seed(1)  # samplers draw random numbers
    return model(**model.data_preprocessor(batch, True), mode='loss')


def flat(losses: dict) -> dict:
    return {
        k: torch.stack(list(v)) if isinstance(v, (list, tuple)) else v
        for k, v in losses.items()
    }


def assert_same(a: dict, b: dict) -> None:
    a, b = flat(a), flat(b)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[k], b[k]) for k in a)


def grads(model) -> dict:
    return {
        n: p.grad.clone()
        for n, p in model.named_parameters()
        if p.grad is not None
    }


def test_one_seed_gives_one_detector_whatever_is_switched_on(build):
    full, plain = build().state_dict(), build(**OFF).state_dict()
    assert len(full) > len(plain)
    assert all(torch.equal(full[k], plain[k]) for k in plain)


@pytest.mark.parametrize(
    'off, expected',
    [
        ((), DOMAIN),
        (('loss_consistency',), IMAGE | INSTANCE),
        (('instance_domain_head', 'loss_consistency'), IMAGE),
        (('domain_neck', 'loss_consistency'), INSTANCE),
        (tuple(OFF), set()),
    ],
)
def test_switching_a_part_off_removes_exactly_what_it_gives(
    build, make_batch, off, expected
):
    full = flat(loss(build(), make_batch()))
    part = flat(loss(build(**{name: None for name in off}), make_batch()))
    assert full.keys() == DETECTION | DOMAIN
    assert part.keys() == DETECTION | expected
    for name in DETECTION:
        assert torch.equal(part[name], full[name]), name


def test_consistency_needs_both_classifiers(build):
    with pytest.raises(ValueError, match='loss_consistency compares'):
        build(domain_neck=None)


def plain_batch(make_batch) -> dict:
    batch = make_batch()
    return {key: batch[key]['source'] for key in batch}


def test_plain_batch_equals_stock_faster_rcnn_to_the_last_bit(
    build, make_batch, model_cfg
):
    roi_head = dict(model_cfg.roi_head, type='StandardRoIHead')
    preprocessor = dict(
        model_cfg.data_preprocessor, type='DetDataPreprocessor'
    )
    stock = build(
        type='FasterRCNN', roi_head=roi_head, data_preprocessor=preprocessor
    )
    ours = build()
    missing = ours.load_state_dict(stock.state_dict(), strict=False)
    assert not missing.unexpected_keys
    assert all(
        k.startswith(('domain_neck.', 'instance_domain_head.'))
        for k in missing.missing_keys
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


def test_detection_losses_are_those_of_the_source_alone(build, make_batch):
    """Target images change no detection loss."""
    model = build(**OFF)
    both = loss(model, make_batch())
    alone = loss(model, plain_batch(make_batch))
    for name in DETECTION - {'acc'}:
        torch.testing.assert_close(flat(both)[name], flat(alone)[name])


def test_target_labels_reach_no_loss(build, make_batch):
    model = build()
    clean = loss(model, make_batch())
    batch = make_batch()
    poison = torch.Generator().manual_seed(5)
    batch['data_samples']['target'] = [
        make_sample(True, poison) for _ in range(2)
    ]
    assert_same(clean, loss(model, batch))


def strengthen(neck) -> None:
    """Enlarges weights: std 0.001 gives gradients near the rounding error."""
    for name, weight in neck.named_parameters():
        if name.endswith('weight'):
            torch.nn.init.normal_(weight, std=0.1)


def test_reversed_gradient_reaches_the_backbone_scaled(build, make_batch):
    """The gradient of loss_da_image in the backbone is linear in the scale."""

    def backbone_grad(scale: float) -> dict:
        model = build(instance_domain_head=None, loss_consistency=None)
        strengthen(model.domain_neck)
        model.domain_neck.grad_scale = scale
        losses = loss(model, make_batch())
        losses['loss_da_image'].backward()
        return grads(model)

    once, twice, none = (backbone_grad(s) for s in (0.1, 0.2, 0.0))
    for name in once:
        if name.startswith('domain_neck'):
            torch.testing.assert_close(once[name], twice[name])
        else:
            assert not none[name].any()
            torch.testing.assert_close(twice[name], 2 * once[name])
    # The gradient is reversed: a small step of descent raises the loss, so the
    # domains are harder to tell apart.
    model = build(instance_domain_head=None, loss_consistency=None)
    strengthen(model.domain_neck)
    before = loss(model, make_batch())['loss_da_image']
    before.backward()
    with torch.no_grad():
        for p in model.backbone.parameters():
            p -= 0.01 * p.grad / 0.1
    assert loss(model, make_batch())['loss_da_image'] > before


@pytest.mark.parametrize('num_source, num_target', [(1, 1), (1, 3), (3, 1)])
def test_any_number_of_images(build, make_batch, num_source, num_target):
    model = build()
    total, log = model.parse_losses(
        loss(model, make_batch(num_source, num_target))
    )
    total.backward()
    assert torch.isfinite(total)
    assert all(p.grad is not None for p in model.parameters()), 'DDP needs it'


def test_the_rpn_learns_from_the_source_alone(build, make_batch):
    """The RPN's pass of the target gives proposals, and has no gradient."""
    model = build()
    seen = []
    model.rpn_head.register_forward_hook(
        lambda head, args, out: seen.append(
            (len(args[0][0]), out[0][0].requires_grad)
        )
    )
    batch = make_batch(num_source=2, num_target=3)
    sum(
        value.sum()
        for name, value in flat(loss(model, batch)).items()
        if 'loss' in name
    ).backward()
    assert seen == [(2, True), (3, False)]
    assert model.rpn_head.rpn_conv.weight.grad.abs().sum() > 0


def test_source_without_boxes(build, make_batch):
    batch = make_batch()
    for sample in batch['data_samples']['source']:
        sample.gt_instances = InstanceData(
            bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long)
        )
    model = build()
    total, _ = model.parse_losses(loss(model, batch))
    assert torch.isfinite(total)


@pytest.mark.parametrize('shared', [True, False])
def test_consistency_sees_the_dropped_units_of_the_adversarial_loss(
    build, make_batch, model_cfg, shared
):
    model = build(
        instance_domain_head=dict(
            model_cfg.instance_domain_head, dropout=0.5, shared_dropout=shared
        )
    )
    seen = []
    adversarial, consistency = (
        model.instance_domain_head.loss,
        model.loss_consistency.forward,
    )
    model.instance_domain_head.loss = lambda logits, *args: (
        seen.append(logits) or adversarial(logits, *args)
    )
    model.loss_consistency.forward = lambda cells, logits, *args: (
        seen.append(logits) or consistency(cells, logits, *args)
    )
    loss(model, make_batch())
    assert torch.equal(*seen) == shared


@pytest.mark.parametrize('ignore', [True, False])
def test_padding_counts_only_without_ignore_padding(
    build, make_batch, model_cfg, ignore
):
    """A target image of half the height is padded to the full height."""
    model = build(
        domain_neck=dict(model_cfg.domain_neck, ignore_padding=ignore)
    )
    batch = make_batch()
    batch['inputs']['target'][0] = batch['inputs']['target'][0][:, :32]
    batch['data_samples']['target'][0].set_metainfo(dict(img_shape=(32, 96)))
    seen = []
    model.domain_neck.loss = lambda logits, is_source, weights: (
        seen.append(weights) or {}
    )
    model.loss_consistency.forward = lambda cells, rois, image_ids, weights: (
        seen.append(weights) or {}
    )
    loss(model, batch)
    assert len(seen) == 2
    for weights in seen:
        if ignore:
            # 4x6 cells of 16 pixels.
            assert weights.sum(dim=1).tolist() == [24, 24, 12, 24]
        else:
            assert weights is None


@pytest.mark.parametrize('consistency', [True, False])
def test_the_image_classifier_sees_a_lattice(
    build, make_batch, model_cfg, consistency
):
    """Every third of 4x6 cells gives one or two rows and two columns."""
    off = {} if consistency else dict(loss_consistency=None)
    neck = dict(model_cfg.domain_neck, cell_stride=3)
    model = build(domain_neck=neck, **off)
    model.domain_neck.classifiers[0].register_forward_hook(
        lambda module, args, out: shapes.add(tuple(out.shape))
    )
    shapes = set()
    for seed in range(10):
        np.random.seed(seed)
        loss(model, make_batch())
    assert shapes == {(4, 1, 2, 2), (4, 1, 1, 2)}


class Waits(TorchDispatchMode):
    """Notes operators that make the host wait for a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        masks = name == 'index' and any(
            i is not None and i.dtype in (torch.bool, torch.uint8)
            for i in args[1]
        )
        if masks or name in (
            '_local_scalar_dense',
            'nonzero',
            'masked_select',
            'unique',
            '_unique2',
            'lift_fresh',  # sends numbers from the host
        ):
            self.seen.append(name)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    'wait',
    [
        lambda x: x.sum().item(),
        lambda x: bool(x[0] > 0),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: torch.tensor([1], device=x.device),
    ],
)
def test_waiting_operators_are_noted(wait):
    with Waits() as waits:
        wait(torch.ones(3))
    assert waits.seen


def test_the_domain_losses_wait_for_no_device(build, make_batch):
    """Neither domain losses nor target RoIs make the host wait."""
    model = build()
    model.domain_neck.ignore_padding = True
    waits = Waits()

    def watched(function):

        def call(*args):
            with waits:
                return function(*args)

        return call

    model.domain_loss = watched(model.domain_loss)
    model.roi_head._sample_target = watched(model.roi_head._sample_target)
    losses = loss(model, make_batch())
    with waits:
        sum(losses[name] for name in DOMAIN).backward()
    assert model.domain_neck.classifiers[0].conv.weight.grad is not None
    assert not waits.seen
