"""Stops a training at the first loss or gradient that is not finite."""

import math
from typing import Any

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from da_faster.errors import UserError

from .unwrapped import unwrapped


class NonFiniteError(UserError, FloatingPointError):
    """A loss or a gradient is not finite."""


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Looks at every loss and, before it is used, at every gradient.

    At the first that is not finite the run stops: the optimizer takes no step,
    so neither the weights nor a checkpoint are poisoned. In mixed precision
    the loss scaler looks after gradients, which overflow now and then; losses
    are looked at all the same.

    Args:
        max_skips (int): So many batches are passed over, without a step,
            before the run stops; counted over the whole run, resumes
            included. Defaults to 0.
    """

    priority = 'VERY_HIGH'

    def __init__(self, max_skips: int = 0) -> None:
        if not isinstance(max_skips, int) or max_skips < 0:
            raise ValueError(
                'NonFiniteHook: max_skips must be an integer '
                f'>= 0, got {max_skips!r}'
            )
        self.max_skips = max_skips
        self.fault: str | None = None
        self.images: list[str] = []
        self.handles: list = []

    def before_train(self, runner) -> None:
        model = unwrapped(runner)
        self.names = {p: name for name, p in model.named_parameters()}
        info = runner.message_hub.runtime_info
        self.skipped = info.get('skipped_batches', 0)
        self.wrappers = getattr(
            runner.optim_wrapper,
            'optim_wrappers',
            dict(only=runner.optim_wrapper),
        ).values()
        self.handles = [model.register_forward_hook(self.check_losses)] + [
            wrapper.optimizer.register_step_pre_hook(self.check_gradients)
            for wrapper in self.wrappers
        ]
        self.losses: list = []  # (name, value) not looked at yet
        self.stepped = True
        self.poisoned = False  # a loss of the gradients being accumulated

    def after_train(self, runner) -> None:
        for handle in self.handles:
            handle.remove()

    def before_train_iter(
        self, runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        if self.stepped:  # else gradients are being accumulated
            self.images = []
        self.stepped = False
        self.iter = runner.iter + 1
        samples = data_batch['data_samples']
        by_domain = samples if isinstance(samples, dict) else dict(_=samples)
        for domain in by_domain.values():
            self.images += [s.metainfo.get('img_path', '?') for s in domain]

    def check_losses(
        self, model: torch.nn.Module, args: tuple, outputs: Any
    ) -> dict | None:
        """Notes those of a forward pass; bad ones become NaN.

        They are looked at right before the step, with the gradients: a look
        here would let an accelerator wait between forward and backward.
        """
        if not model.training or not isinstance(outputs, dict):
            return None
        losses = {k: v for k, v in outputs.items() if 'loss' in k}
        sums = {
            k: sum(part.detach().sum() for part in v)
            if isinstance(v, (list, tuple))
            else v.detach().sum()
            for k, v in losses.items()
        }
        if not sums:
            return None
        self.losses += sums.items()
        # The gradient may be finite still, and other processes know nothing
        # of this loss: as NaN it reaches the gradient of all.
        finite = torch.stack(list(sums.values())).isfinite().all()
        factor = torch.where(finite, 1.0, math.nan)
        return {
            **outputs,
            **{
                k: [part * factor for part in v]
                if isinstance(v, (list, tuple))
                else v * factor
                for k, v in losses.items()
            },
        }

    def check_gradients(
        self, optimizer: torch.optim.Optimizer, args: tuple, kwargs: dict
    ) -> None:
        """Right before a step; one to skip finds no gradient."""
        self.stepped = True
        known, self.poisoned = self.poisoned, False
        parameters = [
            p
            for group in optimizer.param_groups
            for p in group['params']
            if p.grad is not None
        ]
        if not parameters:
            return
        sums = [value for _, value in self.losses]
        values = list(sums)
        # A fused optimizer itself passes over what the loss scaler found.
        if getattr(optimizer, 'found_inf', None) is None:
            values += torch._foreach_norm(
                [p.grad.detach() for p in parameters], math.inf
            )
        # One look at the device for all of them.
        finite = (
            torch.stack([x.isfinite() for x in values])
            if values
            else torch.ones(0)
        )
        if finite.all():
            self.losses = []
            return
        known |= self.check_noted()
        if not known:
            bad = [
                self.names.get(p, 'a parameter')
                for p, fine in zip(parameters, finite[len(sums) :].tolist())
                if not fine
            ]
            if len(bad) == len(parameters) > 1:  # clipping spreads one to all
                self._report('the gradients of all weights')
            else:
                more = f' and {len(bad) - 1} more' if len(bad) > 1 else ''
                self._report(f'the gradient of {bad[0]}{more}')
        for p in parameters:  # an optimizer passes over what has no gradient
            p.grad = None

    def check_noted(self) -> bool:
        """Whether a noted loss is not finite; reports it."""
        noted, self.losses = self.losses, []
        if not noted:
            return False
        finite = torch.stack([value.isfinite() for _, value in noted])
        bad = [
            f'{name} = {value.item()}'
            for (name, value), fine in zip(noted, finite.tolist())
            if not fine
        ]
        if bad:
            self._report(', '.join(bad))
        return bool(bad)

    def _report(self, what: str) -> None:
        where = f' on rank {get_rank()}' if get_rank() else ''
        self.fault = (
            f'Iteration {self.iter}{where}: not finite: {what}. '
            f'Images: {", ".join(self.images)}.'
        )
        if self.skipped >= self.max_skips:
            raise NonFiniteError(
                f'{self.fault} No step was taken and no checkpoint written.'
                + (
                    f' {self.skipped} batches were skipped before.'
                    if self.skipped
                    else ''
                )
            )

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        # Of an iteration without a step: gradients are being accumulated, or
        # the loss scaler passed over it.
        self.poisoned |= self.check_noted()
        if all(wrapper.should_update() for wrapper in self.wrappers):
            self.stepped, self.poisoned = True, False
        if self.fault is None:
            return
        self.skipped += 1
        # Kept in the checkpoint.
        runner.message_hub.update_info('skipped_batches', self.skipped)
        runner.logger.warning(
            f'{self.fault} Skipped: {self.skipped} of at most '
            f'{self.max_skips} in this run.'
        )
        self.fault = None
