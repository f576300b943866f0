"""Gradient reversal, and both_ways() against two passes."""

import weakref

import pytest
import torch
from torch import nn

from da_faster.models.adversarial.grad_reverse import both_ways, scale_gradient


def test_identity_forward_scaled_gradient_backward():
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    y = scale_gradient(x, -0.1)
    assert torch.equal(y, x)
    (y * torch.tensor([3.0, 5.0])).sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([-0.3, -0.5]))


def test_keeps_dtype_of_value_and_gradient():
    x = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)
    y = scale_gradient(x, 0.5)
    assert y.dtype == torch.bfloat16
    y.sum().backward()
    assert x.grad.dtype == torch.bfloat16


def test_both_ways_by_hand():
    """y = w * relu(x), so dy/dx = w and dy/dw = x."""
    layer = nn.Conv2d(1, 1, 1, bias=False)
    layer.weight.data.fill_(2.0)
    x = torch.full((1, 1, 1, 1), 3.0, requires_grad=True)
    fought, served = both_ways(nn.Sequential(nn.ReLU(), layer), x, 0.1)
    assert fought.item() == served.item() == 6
    (5 * fought + 7 * served).sum().backward()
    assert x.grad.item() == pytest.approx(0.1 * (7 - 5) * 2)
    assert layer.weight.grad.item() == (5 + 7) * 3


@pytest.mark.parametrize('frozen', [None, 'module', 'x'])
def test_both_ways_is_two_passes(frozen):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 1, 1))
    module.requires_grad_(frozen != 'module')
    x = torch.randn(2, 3, 4, 5).requires_grad_(frozen != 'x')
    leaves = [p for p in (x, *module.parameters()) if p.requires_grad]

    def gradients(fought, served):
        loss = fought.square().sum() + (served**3).sum()
        return loss, torch.autograd.grad(loss, leaves)

    one, ones = gradients(*both_ways(module, x, 0.3))
    two, twos = gradients(
        module(scale_gradient(x, -0.3)), module(scale_gradient(x, 0.3))
    )
    torch.testing.assert_close(one, two)
    torch.testing.assert_close(ones, twos)


def test_both_ways_calls_the_module_once():
    calls = []
    module = nn.Linear(2, 1)
    module.register_forward_hook(lambda *_: calls.append(1))
    both_ways(module, torch.ones(1, 2), 0.1)
    assert calls == [1]


def test_both_ways_allows_repeated_backward_passes():
    layer = nn.Linear(1, 1)
    x = torch.ones(1, 1, requires_grad=True)
    fought, served = both_ways(layer, x, 0.1)
    fought.sum().backward(retain_graph=True)
    alone = x.grad.clone()
    assert alone.item() == pytest.approx(-0.1 * layer.weight.item())
    served.sum().backward()
    assert x.grad.item() == pytest.approx(0)


def test_both_ways_frees_its_graph_after_backward():
    hidden = []
    layer = nn.Linear(2, 3)
    layer.register_forward_hook(
        lambda module, args, out: hidden.append(weakref.ref(out))
    )
    losses = both_ways(
        nn.Sequential(layer, nn.Linear(3, 1)),
        torch.ones(1, 2, requires_grad=True),
        0.1,
    )
    total = sum(loss.sum() for loss in losses)
    total.backward(retain_graph=True)
    assert hidden[0]() is not None
    total.backward()
    assert hidden[0]() is None, "as autograd's own functions do"
    with pytest.raises(RuntimeError, match='second time'):
        total.backward()
