"""A CheckpointHook that always leaves an undamaged checkpoint."""

import errno
from collections.abc import Iterator

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS

from da_faster.engine.checkpoints.files import (
    find_resumable,
    set_last_checkpoint,
)
from da_faster.engine.runner_internals import (
    checkpoint_to_load,
    is_resumed,
    set_resume,
)
from da_faster.errors import UserError


class CheckpointNotWritten(UserError):
    """A checkpoint could not be written, so the run stops."""


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """CheckpointHook whose checkpoints survive a crash or a full disk.

    A checkpoint is written to a temporary file, flushed and renamed, with its
    SHA-256 beside it; only then are older ones removed. Weights that are not
    finite are not written. A resume takes the newest undamaged checkpoint. A
    checkpoint cannot hold accumulated gradients, so a due checkpoint waits for
    the next step of the optimizer.

    Args:
        **kwargs: Arguments of CheckpointHook, except for those that store
            elsewhere than on a mounted file system.

    Raises:
        ValueError: If checkpoints are to be stored elsewhere.
    """

    def __init__(self, **kwargs) -> None:
        for name in ('backend_args', 'file_client_args'):
            if kwargs.pop(name, None) is not None:
                raise ValueError(
                    f'SafeCheckpointHook writes to a mounted file system and '
                    f"takes no {name}; for others: type='CheckpointHook'"
                )
        if '://' in str(kwargs.get('out_dir')):
            raise ValueError(
                'SafeCheckpointHook: out_dir must be a folder, got '
                f"{kwargs['out_dir']!r}; for others: type='CheckpointHook'"
            )
        super().__init__(**kwargs, backend_args=dict(backend='atomic'))
        self.is_due = False  # a checkpoint that waits for the next step

    def before_run(self, runner) -> None:
        # Runner would take the file that last_checkpoint names, damaged or
        # not.
        if is_resumed(runner) and checkpoint_to_load(runner) is None:
            found = find_resumable(runner.work_dir, runner.logger.warning)
            set_resume(runner, found)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        for name, value in tensors(checkpoint):
            if value.is_floating_point() and not value.isfinite().all():
                raise CheckpointNotWritten(
                    f'{name} is not finite at iteration '
                    f'{checkpoint["meta"]["iter"]}: no checkpoint is written; '
                    'earlier checkpoints are kept.'
                )

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        if not self.by_epoch and not runner.optim_wrapper.should_update():
            self.is_due |= self.every_n_train_iters(
                runner, self.interval, self.save_begin
            )
        elif self.is_due:
            self.save(runner)
        else:
            super().after_train_iter(runner, *args, **kwargs)

    def save(self, runner) -> None:
        """Writes a checkpoint of the current iteration."""
        self.is_due = False
        runner.logger.info(
            f'Saving checkpoint at {runner.iter + 1} iterations'
        )
        self._save_checkpoint(runner)

    def _save_checkpoint_with_step(
        self, runner, step: int, meta: dict
    ) -> None:
        """Writes a checkpoint, then removes old ones.

        The method of CheckpointHook removes first.
        """
        kept = []
        if self.max_keep_ckpts > 0:
            kept = [i for i in self.keep_ckpt_ids if i != step] + [step]
            # The list includes the checkpoint that is to be removed. If the
            # run is killed before the removal, the parent's before_train
            # removes that checkpoint after the resume.
            runner.message_hub.update_info('keep_ckpt_ids', list(kept))
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        try:
            runner.save_checkpoint(
                self.out_dir,
                name,
                save_optimizer=self.save_optimizer,
                save_param_scheduler=self.save_param_scheduler,
                meta=meta,
                by_epoch=self.by_epoch,
                backend_args=self.backend_args,
                **self.args,
            )
            if is_main_process():
                set_last_checkpoint(runner.work_dir, self.last_ckpt)
        except OSError as error:
            reason = (
                'the disk is full'
                if error.errno in (errno.ENOSPC, errno.EDQUOT)
                else error.strerror or str(error)
            )
            raise CheckpointNotWritten(
                f'{self.last_ckpt} could not be written: {reason}. Earlier '
                'checkpoints are kept; --resume auto continues from the last '
                'of them.'
            ) from error
        if self.max_keep_ckpts > 0:
            while len(kept) > self.max_keep_ckpts:
                self._remove(
                    self.file_backend.join_path(
                        self.out_dir, self.filename_tmpl.format(kept.pop(0))
                    )
                )
            self.keep_ckpt_ids.clear()
            self.keep_ckpt_ids.extend(kept)

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        """Writes the best checkpoint, then removes the best one before.

        The method of CheckpointHook removes first, so it is called as if
        there were no best checkpoint yet.
        """
        if not self.save_best:
            return
        single = len(self.key_indicators) == 1
        before = (
            dict(best=self.best_ckpt_path)
            if single
            else dict(self.best_ckpt_path_dict)
        )
        if single:
            self.best_ckpt_path = None
        else:
            self.best_ckpt_path_dict.update(dict.fromkeys(before))
        try:
            super()._save_best_checkpoint(runner, metrics)
        finally:
            after = (
                dict(best=self.best_ckpt_path)
                if single
                else self.best_ckpt_path_dict
            )
            for key, path in before.items():
                if after[key] is None:
                    after[key] = path
            if single:
                self.best_ckpt_path = after['best']
        for key, path in before.items():
            if path and path != after[key]:
                self._remove(path)

    def _remove(self, path: str) -> None:
        if is_main_process() and self.file_backend.isfile(path):
            self.file_backend.remove(path)


def tensors(state, name: str = '') -> Iterator[tuple[str, torch.Tensor]]:
    """Yields all tensors in nested dicts and lists, with dotted names."""
    if isinstance(state, torch.Tensor):
        yield name, state
    elif isinstance(state, (dict, list, tuple)):
        items = state.items() if isinstance(state, dict) else enumerate(state)
        for key, value in items:
            yield from tensors(value, f'{name}.{key}' if name else str(key))
