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

    A negative scale is the gradient reversal layer of Ganin and Lempitsky
    (ICML 2015, Eq. 7-8). Keeps the dtype, so it is safe under autocast and
    loss scaling.

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
        # With it the module's own graph is freed when it has served.
        ctx.save_for_backward(out, x, *weights)
        out = out.detach()
        return out, out.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx, reversed_grad: Tensor, plain_grad: Tensor) -> tuple:
        # Each of the two takes the half of a backward pass that it needs.
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
                retain_graph=True,  # the caller may go back again
                allow_unused=True,
            )
        return None, None, x_grad, *weight_grads


def both_ways(
    module: nn.Module, x: Tensor, scale: float
) -> tuple[Tensor, Tensor]:
    """A module's output twice, for a loss to fight and for one to serve.

    Equal to ``module(scale_gradient(x, -scale))`` and
    ``module(scale_gradient(x, scale))`` at the cost of one pass forward and
    one backward; only a gradient of the gradient is not to be had. Of a module
    that draws random numbers both are one draw.

    Args:
        module (nn.Module): Takes and returns a tensor.
        x (Tensor): Its input.
        scale (float): Factor of the gradient.
    """
    weights = [p for p in module.parameters() if p.requires_grad]
    return _BothWays.apply(module, scale, x, *weights)
