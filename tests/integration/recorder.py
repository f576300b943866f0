"""Hooks and loops for tests: a recorder, a saboteur, own loops."""

import atexit
import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import time
from pathlib import Path

from mmengine.dist import get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS, LOOPS

from da_faster.engine import DALoop
from da_faster.engine.loops.da_loop import PairedIterator


def digest(state_dict: dict) -> str:
    """Returns a hash of all weights."""
    hashed = hashlib.sha256()
    for name, weight in sorted(state_dict.items()):
        hashed.update(name.encode() + weight.cpu().numpy().tobytes())
    return hashed.hexdigest()


def thread_names() -> list:
    """Names all threads of this process, also those that Python ignores."""
    threads = Path('/proc/self/task').glob('*/comm')
    return [thread.read_text().strip() for thread in threads]


@HOOKS.register_module()
class Recorder(Hook):
    """Appends a line for each iteration to WORK_DIR/stream_RANK.jsonl.

    With several processes, WORK_DIR/threads_RANK.json lists the threads that
    are left at the end.

    Args:
        stop_after (int, optional): Stops the run after so many iterations.
    """

    priority = 'LOWEST'

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after

    def before_run(self, runner):
        if get_world_size() > 1:
            path = Path(runner.work_dir) / f'threads_{get_rank()}.json'
            atexit.register(
                lambda: path.write_text(json.dumps(thread_names()))
            )

    def after_train_iter(self, runner, batch_idx, data_batch, outputs):
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        samples = data_batch['data_samples']
        if not isinstance(samples, dict):
            samples = dict(source=samples)
        line = dict(
            iter=batch_idx + 1,
            lr=runner.optim_wrapper.get_lr()['lr'][0],
            losses=[k for k in outputs if 'loss' in k],
            weights=digest(model.state_dict()),
            **{
                domain: [s.img_id for s in batch]
                for domain, batch in samples.items()
            },
        )
        path = Path(runner.work_dir) / f'stream_{get_rank()}.jsonl'
        with path.open('a') as file:
            file.write(json.dumps(line) + '\n')
        if batch_idx + 1 == self.stop_after:
            raise SystemExit('stopped')


@HOOKS.register_module()
class Saboteur(Hook):
    """Damages or ends a run at one iteration.

    Args:
        at (int): The iteration, counted from 1.
        what (str): ``signal`` sends SIGTERM before the step, ``kill`` sends
            SIGKILL before the step, ``kill in checkpoint`` right before the
            file is written. ``kill in validation`` and ``signal in
            validation`` act after an image, ``nan loss`` and ``nan gradient``
            in the step, ``nan weight`` after the step.
        rank (int): The process of the run that is damaged.
    """

    priority = 'LOW'  # before the checkpoint is written

    def __init__(self, at: int, what: str, rank: int = 0) -> None:
        self.at = at
        self.what = what
        self.rank = rank

    def _now(self, runner, what: str, done: int = 1) -> bool:
        return (
            self.what == what
            and runner.iter + done == self.at
            and get_rank() == self.rank
        )

    def before_train_iter(self, runner, batch_idx, data_batch):
        if self._now(runner, 'signal'):
            # Batch systems and launchers signal the workers as well. The
            # signal comes from another process: torch's workers check who
            # sent it.
            workers = [
                str(child.pid) for child in multiprocessing.active_children()
            ]
            if workers:
                subprocess.run(
                    ['sh', '-c', f'kill -TERM {" ".join(workers)}'], check=True
                )
                time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGTERM)
        elif self._now(runner, 'kill'):
            os.kill(os.getpid(), signal.SIGKILL)
        elif self._now(runner, 'nan loss'):
            image = data_batch['inputs']['target'][0]
            data_batch['inputs']['target'][0] = image * float('nan')
        elif self._now(runner, 'nan gradient'):
            weight = runner.model.rpn_head.rpn_cls.weight
            self.handle = weight.register_hook(lambda g: g * float('nan'))

    def after_train_iter(self, runner, *args, **kwargs):
        if self._now(runner, 'nan gradient'):
            self.handle.remove()
        elif self._now(runner, 'nan weight'):
            runner.model.rpn_head.rpn_cls.weight.data[0] = float('nan')

    def before_save_checkpoint(self, runner, checkpoint):
        if self._now(runner, 'kill in checkpoint'):
            os.kill(os.getpid(), signal.SIGKILL)

    def after_val_iter(self, runner, *args, **kwargs):
        if self._now(runner, 'kill in validation', done=0):
            os.kill(os.getpid(), signal.SIGKILL)
        elif self._now(runner, 'signal in validation', done=0):
            os.kill(os.getpid(), signal.SIGTERM)


@LOOPS.register_module()
class OwnRunLoop(DALoop):
    """Replaces ``run`` as a whole, as MMEngine's documentation shows."""

    def run(self) -> None:
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        self.dataloader_iterator.skip_iter(self._iter)
        while self._iter < self._max_iters:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')


@LOOPS.register_module()
class OwnIterLoop(OwnRunLoop):
    """Makes an iterator over both loaders itself."""

    def run(self) -> None:
        self.dataloader_iterator = PairedIterator(
            source=self.dataloader, target=self.target_dataloader
        )
        super().run()


@HOOKS.register_module()
class Replace(Hook):
    """Overwrites or removes a file when the training begins.

    Args:
        path (str): The file.
        content (bytes, optional): The new content. Default: remove the file.
    """

    def __init__(self, path: str, content: bytes | None = None) -> None:
        self.path, self.content = Path(path), content

    def before_train(self, runner):
        if self.content is None:
            self.path.unlink()
        else:
            self.path.write_bytes(self.content)
