"""Times the start of a training, fresh and resumed."""

import io
import os.path as osp
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.config import Config

from da_faster.benchmarking.training import kill, train_command
from da_faster.engine.checkpoints.files import (
    AtomicBackend,
    set_last_checkpoint,
)
from da_faster.errors import UserError

from .measuring import interleave

ITERATION = re.compile(r'Iter\(train\) \[ *(\d+)/')


@contextmanager
def training(
    config: str, work_dir: str, *options: str
) -> Iterator[subprocess.Popen]:
    """Runs tools/train.py; kills it at the end, with its workers."""
    run = subprocess.Popen(
        train_command(config, work_dir, *options),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield run
    finally:
        kill(run)
        run.stdout.close()


def seconds_to_iteration(number: int, *args: str) -> float:
    """Starts a training and waits until it reports an iteration.

    Args:
        number (int): The iteration that the training must begin with.
        *args: Config, work dir and options.

    Raises:
        UserError: If the training ends before, or begins elsewhere.
    """
    begin = time.perf_counter()
    said = []
    with training(*args) as run:
        for line in run.stdout:
            said.append(line)
            found = ITERATION.search(line)
            if found:
                took = time.perf_counter() - begin
                if int(found[1]) != number:
                    raise UserError(
                        f'The run began at iteration {found[1]} '
                        f'and not at {number}.'
                    )
                return took
    print(*said[-15:], sep='', file=sys.stderr)
    raise UserError('The run failed; its last words are above.')


def make_checkpoint(config: str, work_dir: str, iteration: int) -> None:
    """Makes a work dir with a checkpoint of some iteration.

    One iteration is trained. Then the iteration numbers in the checkpoint are
    changed.

    Raises:
        UserError: If the training writes no checkpoint.
    """
    with training(
        config,
        work_dir,
        '--cfg-options',
        'default_hooks.checkpoint.interval=1',
        'train_cfg.max_iters=1',
        'train_cfg.val_interval=10',
    ) as run:
        output = run.stdout.read()
    path = osp.join(work_dir, 'iter_1.pth')
    if not osp.isfile(path):
        print(output[-2000:], file=sys.stderr)
        raise UserError(
            'The run wrote no checkpoint; its last words are above.'
        )
    checkpoint = torch.load(path, weights_only=False)
    checkpoint['meta']['iter'] = iteration
    checkpoint['message_hub']['runtime_info']['iter'] = iteration
    for state in checkpoint['param_schedulers']:
        state['last_step'] = iteration
        state['_global_step'] = iteration + 1
    backend = AtomicBackend()
    backend.remove(path)
    path = osp.join(work_dir, f'iter_{iteration}.pth')
    content = io.BytesIO()
    torch.save(checkpoint, content)
    backend.put(content.getvalue(), path)
    set_last_checkpoint(work_dir, path)


def compare_starts(
    cfg: Config, iteration: int, max_iters: int, repeats: int
) -> dict[str, list[float]]:
    """Times the start up to the first iteration.

    Args:
        cfg (Config): The train config; changed in place.
        iteration (int): The iteration to resume from.
        max_iters (int): Iterations of the whole training.
        repeats (int): Rounds that count.

    Returns:
        dict[str, list[float]]: Seconds of each round, ``fresh`` and
        ``resumed``.
    """
    cfg.train_cfg.max_iters = max_iters
    cfg.default_hooks.logger.interval = 1
    with tempfile.TemporaryDirectory() as folder:
        config = osp.join(folder, 'config.py')
        cfg.dump(config)
        made = osp.join(folder, 'made')
        make_checkpoint(config, made, iteration)

        def fresh() -> float:
            return seconds_to_iteration(1, config, osp.join(folder, 'fresh'))

        def resumed() -> float:
            return seconds_to_iteration(
                iteration + 1, config, made, '--resume', 'auto'
            )

        return interleave(dict(fresh=fresh, resumed=resumed), repeats)
