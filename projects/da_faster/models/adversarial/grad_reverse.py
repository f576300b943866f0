"""Gradient reversal: identity forward, scaled gradient backward."""

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


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

    A negative scale makes the gradient reversal layer of Ganin and Lempitsky
    (ICML 2015, Eq. 7-8). Value and gradient keep their dtype, so the function
    is safe under autocast and loss scaling.

    Args:
        x (Tensor): Any shape.
        scale (float): Factor of the gradient.
    """
    return _ScaleGradient.apply(x, scale)


class _BothWays(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx, module: nn.Module, scale: float, x: Tensor, *weights: Tensor
    ) -> tuple:
        ctx.scale = scale
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            out = module(x)
        # Saved with its output, the module's graph is freed after backward.
        ctx.save_for_backward(out, x, *weights)
        out = out.detach()
        return out, out.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx, reversed_grad: Tensor, plain_grad: Tensor) -> tuple:
        # Each call of grad() takes only the half of a backward pass.
        out, x, *weights = ctx.saved_tensors
        x_grad, weight_grads = None, ()
        if ctx.needs_input_grad[2]:
            (x_grad,) = torch.autograd.grad(
                out,
                x,
                ctx.scale * (plain_grad - reversed_grad),
                retain_graph=True,
            )
        if weights:
            weight_grads = torch.autograd.grad(
                out,
                weights,
                reversed_grad + plain_grad,
                retain_graph=True,  # the caller may call backward again
                allow_unused=True,
            )
        return None, None, x_grad, *weight_grads


def both_ways(
    module: nn.Module, x: Tensor, scale: float
) -> tuple[Tensor, Tensor]:
    """Computes a module's output with a reversed and with a plain gradient.

    The outputs equal ``module(scale_gradient(x, -scale))`` and
    ``module(scale_gradient(x, scale))``, at the cost of one forward and one
    backward pass. Second derivatives are not supported. If the module draws
    random numbers, both outputs come from the same draw.

    Args:
        module (nn.Module): A module that takes and returns a tensor.
        x (Tensor): Input of the module.
        scale (float): Factor of the gradient.

    Returns:
        tuple[Tensor, Tensor]: Two equal outputs. The gradient of the first
        reaches ``x`` reversed.
    """
    weights = [p for p in module.parameters() if p.requires_grad]
    return _BothWays.apply(module, scale, x, *weights)
