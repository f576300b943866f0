"""Stops a training at the first loss or gradient that is not finite."""
import math
from typing import Any, List, Optional

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS


class NonFiniteError(FloatingPointError):
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
            raise ValueError('NonFiniteHook: max_skips must be an integer '
                             f'>= 0, got {max_skips!r}')
        self.max_skips = max_skips
        self.fault: Optional[str] = None
        self.images: List[str] = []
        self.handles: list = []

    def before_train(self, runner) -> None:
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        self.names = {p: name for name, p in model.named_parameters()}
        info = runner.message_hub.runtime_info
        self.skipped = info.get('skipped_batches', 0)
        wrappers = getattr(runner.optim_wrapper, 'optim_wrappers',
                           dict(only=runner.optim_wrapper))
        self.handles = [model.register_forward_hook(self.check_losses)] + [
            wrapper.optimizer.register_step_pre_hook(self.check_gradients)
            for wrapper in wrappers.values()
        ]
        self.stepped = True
        self.poisoned = False  # a loss of the gradients being accumulated

    def after_train(self, runner) -> None:
        for handle in self.handles:
            handle.remove()

    def before_train_iter(self,
                          runner,
                          batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        if self.stepped:  # else gradients are being accumulated
            self.images = []
        self.stepped = False
        self.iter = runner.iter + 1
        samples = data_batch['data_samples']
        by_domain = samples if isinstance(samples, dict) else dict(_=samples)
        for domain in by_domain.values():
            self.images += [s.metainfo.get('img_path', '?') for s in domain]

    def check_losses(self, model: torch.nn.Module, args: tuple,
                     outputs: Any) -> Optional[dict]:
        """Of a forward pass; those of a batch to skip are made NaN."""
        if not model.training or not isinstance(outputs, dict):
            return None
        losses = {k: v for k, v in outputs.items() if 'loss' in k}
        sums = {
            k: sum(part.detach().sum() for part in v) if isinstance(
                v, (list, tuple)) else v.detach().sum()
            for k, v in losses.items()
        }
        # One look at the device for all of them.
        if not sums or torch.stack(list(sums.values())).isfinite().all():
            return None
        bad = [f'{k} = {v.item()}' for k, v in sums.items()
               if not v.isfinite()]
        self._report(', '.join(bad))
        self.poisoned = True
        # The gradient may be finite still, and other processes know nothing
        # of this loss: as NaN it reaches the gradient of all.
        return {
            k: [part * math.nan for part in v] if isinstance(
                v, (list, tuple)) else v * math.nan if k in losses else v
            for k, v in outputs.items()
        }

    def check_gradients(self, optimizer: torch.optim.Optimizer, args: tuple,
                        kwargs: dict) -> None:
        """Right before a step; one to skip finds no gradient."""
        self.stepped = True
        known, self.poisoned = self.poisoned, False
        parameters = [
            p for group in optimizer.param_groups for p in group['params']
            if p.grad is not None
        ]
        if not parameters:
            return
        largest = torch.stack([
            torch.linalg.vector_norm(p.grad.detach(), math.inf)
            for p in parameters
        ])
        finite = largest.isfinite()
        if finite.all():
            return
        if not known:
            bad = [
                self.names.get(p, 'a parameter')
                for p, fine in zip(parameters, finite.tolist()) if not fine
            ]
            if len(bad) == len(parameters) > 1:  # clipping spreads one to all
                self._report('the gradients of all weights')
            else:
                more = f' and {len(bad) - 1} more' if len(bad) > 1 else ''
                self._report(f'the gradient of {bad[0]}{more}')
        for p in parameters:  # an optimizer passes over what has no gradient
            p.grad = None

    def _report(self, what: str) -> None:
        where = f' on rank {get_rank()}' if get_rank() else ''
        self.fault = (f'Iteration {self.iter}{where}: not finite: {what}. '
                      f'Images: {", ".join(self.images)}.')
        if self.skipped >= self.max_skips:
            raise NonFiniteError(
                f'{self.fault} No step was taken and no checkpoint written.' +
                (f' {self.skipped} batches were skipped before.' if self.
                 skipped else ''))

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        if self.fault is None:
            return
        self.skipped += 1
        # Kept in the checkpoint.
        runner.message_hub.update_info('skipped_batches', self.skipped)
        runner.logger.warning(
            f'{self.fault} Skipped: {self.skipped} of at most '
            f'{self.max_skips} in this run.')
        self.fault = None
