"""Saves and ends a run when the batch system wants the machine back."""

import atexit
import mmap
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence

import torch
from mmengine.dist import all_reduce, barrier, get_world_size
from mmengine.hooks import CheckpointHook, Hook
from mmengine.registry import HOOKS

from da_faster.engine.runner_internals import built_loop

# EX_TEMPFAIL of sysexits.h: nothing is wrong, try again.
EXIT_CODE = 75
# Processes may get a signal twice, from the batch system and from their
# launcher. Signals within this time count as one.
ONE_SIGNAL_S = 1.0


class WorkerInit:
    """Initializes a data loader's worker, with its signal handlers.

    Workers inherit the hook's handler, but torch gives them one for SIGTERM
    that ends them. This class sets the hook's handler again.

    Args:
        then (callable, optional): The loader's own ``worker_init_fn``, called
            afterwards.
        handler (callable): Handler of the signals.
        signals (sequence of signal.Signals): The signals to handle.
    """

    def __init__(
        self,
        then: Callable | None,
        handler: Callable,
        signals: Sequence[signal.Signals],
    ) -> None:
        self.then = then.then if isinstance(then, WorkerInit) else then
        self.handler = handler
        self.signals = signals

    def __call__(self, worker_id: int) -> None:
        for number in self.signals:
            signal.signal(number, self.handler)
        if self.then is not None:
            self.then(worker_id)

    def __reduce__(self) -> tuple:
        # A spawned worker inherits no handler and no shared memory.
        return WorkerInit, (self.then, None, ())


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Saves a checkpoint after a signal, and ends the program.

    The checkpoint is saved at the end of the iteration, or after the next step
    if gradients are being accumulated. The exit code is 75. All processes of a
    run leave together, whichever of them got the signal. A second signal, a
    second later or more, ends the process at once and saves nothing (exit code
    128 + number of the signal). During a validation, a run of a single process
    leaves at once if the iteration has its checkpoint; other runs leave after
    the next iteration.

    Args:
        signals (sequence of str, optional): Names of the signals. Defaults to
            SIGTERM and, if the system has it, SIGUSR1 (SLURM:
            ``--signal=USR1@120``).

    Raises:
        ValueError: If the system has no signal of a name.
    """

    # Run after other hooks have ended the iteration and written checkpoints.
    priority = 'LOWEST'

    def __init__(self, signals: Sequence[str] | None = None) -> None:
        if signals is None:  # Windows has no SIGUSR1
            usual = 'SIGTERM', 'SIGUSR1'
            signals = [name for name in usual if hasattr(signal, name)]
        for name in signals:
            if name not in signal.Signals.__members__:
                raise ValueError(
                    f'PreemptionHook: {name!r} is not a signal of this system'
                )
        self.signals = [signal.Signals[name] for name in signals]
        self.received_at = None
        self.old_handlers: dict = {}

    def before_train(self, runner) -> None:
        if threading.current_thread() is not threading.main_thread():
            runner.logger.warning(
                'PreemptionHook: signals reach the main thread only, and this '
                'is another thread: a signal saves no checkpoint.'
            )
            return
        self.pid = os.getpid()
        self.logger = runner.logger
        # The batch system signals workers, too, but the iteration still needs
        # them. This flag, shared with the workers, says when they may end.
        self.leaving = mmap.mmap(-1, 1)
        atexit.register(self.leaving.write_byte, 1)
        self.old_handlers = {
            number: signal.signal(number, self._receive)
            for number in self.signals
        }
        for loop in (built_loop(runner, 'train'), built_loop(runner, 'val')):
            for name in ('dataloader', 'target_dataloader'):
                loader = getattr(loop, name, None)
                if loader is not None:
                    loader.worker_init_fn = WorkerInit(
                        loader.worker_init_fn, self._receive, self.signals
                    )

    def _receive(self, number: int, frame) -> None:
        if os.getpid() != self.pid:  # a worker ends with the main process
            if self.leaving[0]:
                os._exit(0)
        elif self.received_at is None:
            self.received_at = time.monotonic()
            self.name = signal.Signals(number).name
        elif time.monotonic() - self.received_at > ONE_SIGNAL_S:
            os._exit(128 + number)

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        if self._stop_together() and runner.optim_wrapper.should_update():
            hook = self._checkpoint_hook(runner)
            if hook is not None and not self._saved(hook, runner.iter + 1):
                hook._save_checkpoint(runner)
            self._leave(runner, runner.iter + 1, hook)

    def after_val_iter(self, runner, *args, **kwargs) -> None:
        # This method is also called outside of training. Several processes
        # may validate unequal numbers of images, so they cannot agree here.
        if (
            self.old_handlers
            and get_world_size() == 1
            and self._stop_together()
        ):
            hook = self._checkpoint_hook(runner)
            if hook is not None and self._saved(hook, runner.iter):
                self._leave(runner, runner.iter, hook)

    def after_train(self, runner) -> None:
        for number, handler in self.old_handlers.items():
            signal.signal(number, handler)
        self.old_handlers = {}

    def _stop_together(self) -> bool:
        stop = self.received_at is not None
        if get_world_size() > 1:
            stop = torch.tensor(int(stop))
            all_reduce(stop, 'max')
        return bool(stop)

    @staticmethod
    def _checkpoint_hook(runner):
        hooks = [h for h in runner.hooks if isinstance(h, CheckpointHook)]
        return hooks[0] if hooks else None

    @staticmethod
    def _saved(hook: CheckpointHook, step: int) -> bool:
        return os.path.basename(
            hook.last_ckpt or ''
        ) == hook.filename_tmpl.format(step)

    def _leave(self, runner, step: int, hook) -> None:
        # One process writes the checkpoint. The launcher would kill it if
        # another process left before.
        barrier()
        saved = f'{hook.last_ckpt} is complete' if hook else 'nothing is saved'
        name = self.name if self.received_at else 'A signal to another process'
        runner.logger.warning(
            f'{name}: leaving after iteration {step}, {saved}; --resume auto '
            f'continues. Exit code {EXIT_CODE}.'
        )
        self.after_train(runner)
        raise SystemExit(EXIT_CODE)
