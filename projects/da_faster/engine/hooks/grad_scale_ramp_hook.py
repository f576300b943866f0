"""Gradient reversal that grows with the iteration."""

import math

from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from .unwrapped_model import unwrapped_model


@HOOKS.register_module()
class GradScaleRampHook(Hook):
    """Ramps the reversed gradient from 0 up to each classifier's own scale.

    The schedule is that of Ganin and Lempitsky (ICML 2015, Sec. 4), with an
    optional delay. Every domain classifier reverses the gradient with
    ``grad_scale * (2 / (1 + exp(-gamma * p)) - 1)``, where p goes from 0 at
    iteration ``begin`` to 1 at ``end``. The gradient of the consistency loss,
    which is not reversed, is scaled in the same way. The scale depends on the
    iteration alone, so a resumed run continues the ramp. Without this hook the
    scale is constant, as in the reference.

    Args:
        begin (int): Number of iterations without reversal. Defaults to 0.
        end (int, optional): Iteration from which the scale is constant.
            Defaults to the last iteration.
        gamma (float): Steepness of the ramp. Defaults to 10.
    """

    def __init__(
        self, begin: int = 0, end: int | None = None, gamma: float = 10.0
    ) -> None:
        if begin < 0:
            raise ValueError(
                f'GradScaleRampHook: begin must be >= 0, got {begin!r}'
            )
        if end is not None and end <= begin:
            raise ValueError(
                f'GradScaleRampHook: end must be after begin '
                f'({begin!r}), got {end!r}'
            )
        if not 0 < gamma < float('inf'):
            raise ValueError(
                f'GradScaleRampHook: gamma must be positive, got {gamma!r}'
            )
        self.begin, self.end, self.gamma = begin, end, gamma

    def before_train(self, runner) -> None:
        if self.end is None:
            self.end = runner.max_iters
        if self.end <= self.begin:
            raise ValueError(
                f'GradScaleRampHook: begin ({self.begin}) is not before the '
                f'last iteration ({self.end})'
            )
        model = unwrapped_model(runner)
        self.scales = {
            module: module.grad_scale
            for module in model.modules()
            if hasattr(module, 'grad_scale')
        }
        if not self.scales:
            raise ValueError(
                'GradScaleRampHook: the model has no domain classifier, so '
                'there is nothing to ramp; leave the hook out'
            )

    def factor(self, cur_iter: int) -> float:
        """Fraction of the full scale at an iteration, in [0, 1)."""
        p = (cur_iter - self.begin) / (self.end - self.begin)
        p = min(max(p, 0.0), 1.0)
        return 2 / (1 + math.exp(-self.gamma * p)) - 1

    def before_train_iter(
        self, runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        factor = self.factor(runner.iter)
        for module, scale in self.scales.items():
            module.grad_scale = factor * scale

    def after_train(self, runner) -> None:
        for module, scale in self.scales.items():
            module.grad_scale = scale
