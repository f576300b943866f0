"""Gradient reversal: identity forward, scaled gradient backward."""
import torch
from torch import Tensor


class _ScaleGradient(torch.autograd.Function):

    @staticmethod
    def forward(ctx, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple:
        return ctx.scale * grad, None


def scale_gradient(x: Tensor, scale: float) -> Tensor:
    """Returns ``x`` unchanged; its gradient is multiplied by ``scale``.

    A negative scale is the gradient reversal layer of Ganin and Lempitsky
    (ICML 2015, Eq. 7-8). Keeps the dtype, so it is safe under autocast and
    loss scaling.

    Args:
        x (Tensor): Any shape.
        scale (float): Factor of the gradient.
    """
    return _ScaleGradient.apply(x, scale)
