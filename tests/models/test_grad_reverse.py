import torch

from da_faster.models.grad_reverse import scale_gradient


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
