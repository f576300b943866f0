"""Stops a training at the first loss or gradient that is not finite."""

import math
from typing import Any

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from da_faster.errors import UserError

from .unwrapped_model import unwrapped_model


class NonFiniteError(UserError, FloatingPointError):
    """A loss or a gradient is not finite."""


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Checks every loss, and every gradient before the optimizer uses it.

    The run stops at the first value that is not finite. The optimizer takes no
    step, so weights and checkpoints stay finite. In mixed precision the loss
    scaler checks the gradients, which overflow now and then; this hook checks
    the losses.

    Args:
        max_skips (int): Number of batches that are skipped, without a step,
            before the run stops. It is counted over the whole run, resumes
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
        model = unwrapped_model(runner)
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
        self.losses: list = []  # (name, value), not checked yet
        self.stepped = True
        # Whether an accumulated gradient comes from a loss that is not finite.
        self.poisoned = False

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
        """Notes the losses of a forward pass; all become NaN if one is bad.

        A forward hook of the model. The losses are checked right before the
        step, together with the gradients: a check here would make the program
        wait for the accelerator between forward and backward pass.

        Returns:
            dict or None: The outputs with the losses replaced; None if there
            are no losses.
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
        # The gradient of a bad loss may be finite, and other processes do not
        # know of the loss. As NaN it reaches the gradients of all processes.
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
        """Checks losses and gradients; removes the gradients of a bad batch.

        A pre-hook of the optimizer's step, which does nothing without
        gradients.
        """
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
        # A fused optimizer itself skips a step if the loss scaler found an
        # overflow.
        if getattr(optimizer, 'found_inf', None) is None:
            values += torch._foreach_norm(
                [p.grad.detach() for p in parameters], math.inf
            )
        # One transfer from the device for all values.
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
            # Clipping spreads one bad gradient to all.
            if len(bad) == len(parameters) > 1:
                self._report('the gradients of all weights')
            else:
                more = f' and {len(bad) - 1} more' if len(bad) > 1 else ''
                self._report(f'the gradient of {bad[0]}{more}')
        for p in parameters:  # an optimizer skips weights without a gradient
            p.grad = None

    def check_noted(self) -> bool:
        """Reports the noted losses that are not finite.

        Returns:
            bool: Whether there are any.
        """
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

    def _report(self, values: str) -> None:
        rank = f' on rank {get_rank()}' if get_rank() else ''
        self.fault = (
            f'Iteration {self.iter}{rank}: not finite: {values}. '
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
        # Losses are left if there was no step: gradients are being
        # accumulated, or the loss scaler skipped the step.
        self.poisoned |= self.check_noted()
        if all(wrapper.should_update() for wrapper in self.wrappers):
            self.stepped, self.poisoned = True, False
        if self.fault is None:
            return
        self.skipped += 1
        # The message hub is saved in the checkpoint.
        runner.message_hub.update_info('skipped_batches', self.skipped)
        runner.logger.warning(
            f'{self.fault} Skipped: {self.skipped} of at most '
            f'{self.max_skips} in this run.'
        )
        self.fault = None
