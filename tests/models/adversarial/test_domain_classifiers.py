"""Losses and gradients against numbers computed by hand."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from da_faster.models import (
    DomainClassifierNeck,
    DomainConsistencyLoss,
    InstanceDomainHead,
)

SCALE = 0.1


def fill(module: nn.Module, value: float) -> None:
    for p in module.parameters():
        nn.init.constant_(p, value if p.dim() > 1 else 0.0)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.fixture
def neck() -> DomainClassifierNeck:
    """A neck with the logit 2 * relu(2 * x), that is 4x for x > 0."""
    neck = DomainClassifierNeck(1, feat_channels=1, grad_scale=SCALE)
    fill(neck, 2.0)
    return neck


def test_image_loss_and_reversed_gradient(neck):
    # One source image with logits 4, 8; one target image with logits 2, 0.
    x = torch.tensor([[1.0, 2.0], [0.5, 0.0]]).reshape(2, 1, 1, 2)
    x.requires_grad_()
    loss = neck.loss(neck((x,)), torch.tensor([True, False]))
    by_hand = (
        -math.log(sigmoid(4))
        - math.log(sigmoid(8))
        - math.log(1 - sigmoid(2))
        - math.log(1 - sigmoid(0))
    ) / 4
    assert list(loss) == ['loss_da_image', 'acc_da_image']
    assert loss['loss_da_image'].item() == pytest.approx(by_hand, rel=1e-5)

    loss['loss_da_image'].backward()
    # d BCE / d logit = sigmoid - label, d logit / dx = 4 where x > 0,
    # a quarter for the mean, -0.1 for the reversal.
    grad = [(sigmoid(4) - 1), (sigmoid(8) - 1), sigmoid(2), 0.0]
    torch.testing.assert_close(x.grad.flatten(), -SCALE * torch.tensor(grad))
    # The classifier itself learns at full strength: d logit / d w2 = 2x.
    d_w2 = sum(g * h for g, h in zip(grad, (2, 4, 1, 0))) / 4
    w2 = neck.classifiers[0].conv_domain.weight
    assert w2.grad.item() == pytest.approx(d_w2, rel=1e-5)


def test_image_loss_is_the_mean_over_cells_of_all_levels(neck):
    three_cells = torch.ones(1, 1, 1, 3)
    one_cell = torch.zeros(1, 1, 1, 1)
    loss = neck.loss(neck((three_cells, one_cell)), torch.tensor([True]))
    by_hand = (3 * -math.log(sigmoid(4)) - math.log(0.5)) / 4
    assert loss['loss_da_image'].item() == pytest.approx(by_hand, rel=1e-5)


def test_accuracy_is_the_mean_of_both_domains():
    # Three of four source cells are right, the one target cell is wrong; cells
    # of weight 0 do not count.
    logits = [torch.tensor([[[2.0, 1, 3, -1]], [[0.5, -5, -5, -5]]])]
    weights = torch.tensor([[1.0, 1, 1, 1], [1, 0, 0, 0]])
    is_source = torch.tensor([True, False])
    neck = DomainClassifierNeck(1)
    found = neck.loss(logits, is_source, weights)['acc_da_image']
    assert found.item() == pytest.approx((75 + 0) / 2)
    assert not found.requires_grad
    head = InstanceDomainHead(1)
    rois = torch.tensor([1.0, -1, -1, -1]), torch.tensor([1, 0, 0, 0]).bool()
    assert head.loss(*rois)['acc_da_instance'] == 100


@pytest.mark.parametrize('sources', [0, 2, 3])
@pytest.mark.parametrize('value', [-7.0, 0.0, 7.0])
def test_a_constant_logit_is_a_guess(value, sources):
    is_source = torch.arange(3) < sources
    found = InstanceDomainHead(1).loss(torch.full((3,), value), is_source)
    if 0 < sources < 3:
        assert found['acc_da_instance'] == 50
    else:  # one domain is all wrong or all right, the other counts as guessed
        right = (value > 0) == bool(sources)
        assert found['acc_da_instance'] == (75 if right else 25)


def test_cells_of_padding_alone_are_left_out(neck):
    # 24x32 pixels padded to 32x64. Level 0, stride 16: rows begin at 0, 16,
    # columns 0, 16 | 32, 48. Level 1, stride 32: one row, columns 0 | 32.
    metas = [
        dict(img_shape=(24, 32), batch_input_shape=(32, 64)),
        dict(img_shape=(32, 33), batch_input_shape=(32, 64)),
    ]
    feats = torch.zeros(2, 1, 2, 4), torch.zeros(2, 1, 1, 2)
    selected, weights = neck.select_cells(feats, metas)
    assert all(map(torch.equal, selected, feats))
    assert weights.tolist() == [
        [1, 1, 0, 0] * 2 + [1, 0],
        [1, 1, 1, 0] * 2 + [1, 1],
    ]

    # Values in the padding change neither loss.
    is_source = torch.tensor([True, False])
    losses = []
    for value in (0.0, 5.0):
        for x in feats:
            x[0, ..., x.shape[-1] // 2 :] = value
        logits = neck(feats)
        losses.append(
            neck.loss(logits, is_source, weights)['loss_da_image'].item()
        )
        consistency = DomainConsistencyLoss(1.0)(
            logits, torch.zeros(2), torch.tensor([0, 1]), weights
        )
        assert consistency['loss_da_consistency'].item() == 0
    assert losses == [pytest.approx(math.log(2))] * 2


def test_padding_counts_without_ignore_padding():
    neck = DomainClassifierNeck(1, ignore_padding=False)
    feats = (torch.zeros(1, 1, 1, 1),)
    assert neck.select_cells(feats, [dict()])[1] is None


@pytest.fixture
def strided() -> DomainClassifierNeck:
    """A neck with the logit x for x > 0, for every second cell."""
    neck = DomainClassifierNeck(
        1, feat_channels=1, cell_stride=2, grad_scale=SCALE
    )
    fill(neck, 1.0)
    return neck


def test_a_lattice_of_cells_with_their_own_weights(strided):
    # 5x4 numbered cells of 16 pixels; the image ends in cell row 2 and column
    # 2. The second map has one cell, which always counts.
    numbers = torch.arange(20.0).reshape(1, 1, 5, 4)
    metas = [dict(img_shape=(33, 47), batch_input_shape=(80, 64))]
    seen = set()
    for seed in range(20):
        np.random.seed(seed)
        (cells, one), weights = strided.select_cells(
            (numbers, numbers[..., :1, :1]), metas
        )
        rows, cols = cells[0, 0, :, 0] // 4, cells[0, 0, 0] % 4
        assert rows.tolist() in ([0, 2, 4], [1, 3])
        assert cols.tolist() in ([0, 2], [1, 3])
        seen.add((rows[0].item(), cols[0].item()))
        assert weights.tolist() == [
            [float(r <= 2 and c <= 2) for r in rows for c in cols] + [1.0]
        ]
        assert one.tolist() == [[[[0.0]]]]
    assert len(seen) == 4, 'each cell has its turn'


def test_a_lattice_takes_the_gradient_of_its_cells_alone(strided):
    x = torch.ones(1, 1, 2, 4, requires_grad=True)
    np.random.seed(0)
    cells, weights = strided.select_cells(
        (x,), [dict(img_shape=(2, 4), batch_input_shape=(2, 4))]
    )
    assert cells[0].shape == (1, 1, 1, 2)
    loss = strided.loss(strided(cells), torch.tensor([True]), weights)
    loss['loss_da_image'].backward()
    expected = -SCALE * (sigmoid(1) - 1) / 2
    assert x.grad.count_nonzero() == 2
    assert x.grad[x.grad != 0].tolist() == pytest.approx([expected] * 2)


@pytest.mark.parametrize('value', [0, -1, 1.5, None])
def test_bad_strides_are_named(value):
    with pytest.raises(ValueError, match=f'cell_stride .* got {value}'):
        DomainClassifierNeck(1, cell_stride=value)


def test_a_classifier_for_each_level():
    neck = DomainClassifierNeck(1, feat_channels=1, num_levels=2)
    fill(neck.classifiers[0], 1.0)
    fill(neck.classifiers[1], 3.0)
    x = torch.ones(1, 1, 1, 1)
    assert [y.item() for y in neck((x, x))] == [1, 9]
    with pytest.raises(ValueError, match='num_levels is 2, but .* has 1'):
        neck((x,))
    with pytest.raises(ValueError, match='num_levels .* got 0'):
        DomainClassifierNeck(1, num_levels=0)


def test_instance_loss_and_reversed_gradient():
    head = InstanceDomainHead(
        1, feat_channels=1, dropout=0.0, grad_scale=SCALE, loss_weight=2.0
    )
    fill(head, 1.0)  # logit = x for x > 0
    x = torch.tensor([[1.0], [3.0]], requires_grad=True)
    loss = head.loss(head(x), torch.tensor([True, False]))
    by_hand = 2 * (-math.log(sigmoid(1)) - math.log(1 - sigmoid(3))) / 2
    assert list(loss) == ['loss_da_instance', 'acc_da_instance']
    assert loss['loss_da_instance'].item() == pytest.approx(by_hand, rel=1e-5)
    loss['loss_da_instance'].backward()
    torch.testing.assert_close(
        x.grad, -SCALE * torch.tensor([[sigmoid(1) - 1], [sigmoid(3)]])
    )


def test_no_rois_give_zero_not_nan():
    head = InstanceDomainHead(4)
    none = torch.zeros(0, 4)
    loss = head.loss(head(none), torch.zeros(0, dtype=torch.bool))
    assert loss['loss_da_instance'].item() == 0
    loss = DomainConsistencyLoss()(
        [torch.zeros(2, 1, 3, 3)], head(none), torch.zeros(0, dtype=torch.long)
    )
    assert loss['loss_da_consistency'].item() == 0


def test_consistency_by_hand_with_any_number_of_images():
    # Image 0 has cells of two levels, probabilities .5 .5 .5 and 1/(1+e^-2).
    # Images 1 and 2: all .5.
    level0 = torch.zeros(3, 1, 1, 3)
    level1 = torch.zeros(3, 1, 1, 1)
    level1[0] = 2.0
    rois = torch.tensor([0.0, 1.0, -1.0])
    loss = DomainConsistencyLoss(loss_weight=0.1)(
        (level0, level1), rois, torch.tensor([0, 0, 2])
    )
    image0 = (1.5 + sigmoid(2)) / 4
    by_hand = (
        0.1
        * (
            abs(image0 - 0.5)
            + abs(image0 - sigmoid(1))
            + abs(0.5 - sigmoid(-1))
        )
        / 3
    )
    assert loss['loss_da_consistency'].item() == pytest.approx(
        by_hand, rel=1e-5
    )


def test_rois_of_an_image_without_cells_do_not_count():
    # Image 1's cell is padding, of unknown domain.
    logits = torch.zeros(2, 1, 1, 1)
    rois = torch.tensor([2.0, 5.0], requires_grad=True)
    loss = DomainConsistencyLoss(1.0)(
        [logits], rois, torch.tensor([0, 1]), torch.tensor([[1.0], [0.0]])
    )
    by_hand = sigmoid(2) - 0.5
    assert loss['loss_da_consistency'].item() == pytest.approx(by_hand)
    loss['loss_da_consistency'].backward()
    assert rois.grad[0] > 0 and rois.grad[1] == 0


@pytest.mark.parametrize('weights', [None, torch.ones(1, 1)])
def test_consistency_of_half_precision_is_a_float32(weights):
    """float16 cannot hold 65536, the factor of a loss scaler."""
    loss = DomainConsistencyLoss(1.0)(
        [torch.zeros(1, 1, 1, 1).half()],
        torch.ones(1).half(),
        torch.tensor([0]),
        weights,
    )['loss_da_consistency']
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(sigmoid(1) - 0.5, abs=1e-6)


def test_squared_consistency_by_hand():
    loss = DomainConsistencyLoss(0.1, squared=True)(
        [torch.zeros(1, 1, 1, 1)], torch.tensor([2.0]), torch.tensor([0])
    )
    by_hand = 0.1 * (0.5 - sigmoid(2)) ** 2
    assert loss['loss_da_consistency'].item() == pytest.approx(
        by_hand, rel=1e-5
    )


def test_shared_dropout_drops_the_same_units_twice():
    torch.manual_seed(0)
    head = InstanceDomainHead(4, feat_channels=64)
    x = torch.randn(8, 4)
    fought, served = head.forward_both_ways(x)
    assert torch.equal(fought, served)
    assert not torch.equal(head(x), head(x))
    fresh = InstanceDomainHead(4, feat_channels=64, shared_dropout=False)
    assert not torch.equal(*fresh.forward_both_ways(x))


@pytest.mark.parametrize('shared', [True, False])
def test_instance_head_both_ways_is_two_passes(shared):
    torch.manual_seed(0)
    head = InstanceDomainHead(
        4, feat_channels=8, dropout=0.0, shared_dropout=shared
    )
    x = torch.randn(6, 4, requires_grad=True)
    leaves = [x, *head.parameters()]

    def gradients(fought, served):
        loss = fought.square().sum() + (served**3).sum()
        return loss, torch.autograd.grad(loss, leaves)

    one, ones = gradients(*head.forward_both_ways(x))
    two, twos = gradients(head(x), head(x, reverse=False))
    torch.testing.assert_close(one, two)
    torch.testing.assert_close(ones, twos)


def test_no_rois_both_ways():
    head = InstanceDomainHead(4)
    logits = head.forward_both_ways(torch.zeros(0, 4, requires_grad=True))
    assert [x.shape for x in logits] == [(0,)] * 2
    sum(x.sum() for x in logits).backward()
    assert all(p.grad is not None for p in head.parameters()), 'DDP needs it'


def test_consistency_gradient_is_scaled_but_not_reversed(neck):
    x = torch.full((1, 1, 1, 1), 0.25, requires_grad=True)  # logit 1
    loss = DomainConsistencyLoss(1.0)(
        neck((x,), reverse=False), torch.tensor([0.0]), torch.tensor([0])
    )
    loss['loss_da_consistency'].backward()
    slope = sigmoid(1) * (1 - sigmoid(1)) * 4
    assert x.grad.item() == pytest.approx(SCALE * slope, rel=1e-5)


def test_initial_weights_are_the_reference_s():
    torch.manual_seed(0)
    neck = DomainClassifierNeck(1024)
    neck.init_weights()
    head = InstanceDomainHead(2048)
    head.init_weights()
    (classifier,) = neck.classifiers
    for layer, std in (
        (classifier.conv, 0.001),
        (classifier.conv_domain, 0.001),
        (head.fcs[0], 0.01),
        (head.fcs[3], 0.01),
        (head.fc_domain, 0.05),
    ):
        assert layer.weight.std().item() == pytest.approx(std, rel=0.1)
        assert not layer.bias.any()


@pytest.mark.parametrize('value', [-0.1, float('nan'), float('inf')])
def test_bad_numbers_are_named(value):
    with pytest.raises(ValueError, match=f'grad_scale .* got {value}'):
        DomainClassifierNeck(1, grad_scale=value)
    with pytest.raises(ValueError, match=f'loss_weight .* got {value}'):
        DomainConsistencyLoss(value)
