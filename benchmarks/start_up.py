"""Seconds from the command to the first iteration, fresh and resumed.

    python benchmarks/start_up.py configs/da_faster_demo.py --iteration 60000

starts `tools/train.py` as a user would, and again with `--resume auto` on a
checkpoint of that iteration: the one after the first iteration, with the
numbers in it set as if it were that far. Both are killed as soon as they
report an iteration.
"""
import io
import os
import os.path as osp
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import Iterator

import numpy as np
import torch
from common import (ROOT, interleave, load_config, machine, make_parser,
                    positive, table)

from da_faster.engine.checkpoints.files import AtomicBackend, point_to

ITERATION = re.compile(r'Iter\(train\) \[ *(\d+)/')


@contextmanager
def training(config: str, work_dir: str,
             *options: str) -> Iterator[subprocess.Popen]:
    """A run of tools/train.py, killed at the end with its workers."""
    run = subprocess.Popen(
        [
            sys.executable,
            osp.join(ROOT, 'tools/train.py'), config, '--work-dir', work_dir,
            *options
        ],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True)
    try:
        yield run
    finally:
        try:
            os.killpg(run.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # ended by itself
        run.communicate()


def seconds_to_iteration(number: int, *args: str) -> float:
    """Until the training reports an iteration; it is killed then.

    Raises:
        SystemExit: If it ends before, or begins elsewhere.
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
                    raise SystemExit(f'The run began at iteration {found[1]} '
                                     f'and not at {number}.')
                return took
    raise SystemExit('The run failed; its last words:\n' + ''.join(said[-15:]))


def make_checkpoint(config: str, work_dir: str, iteration: int) -> None:
    """A work dir whose checkpoint stands at ``iteration``."""
    with training(config, work_dir, '--cfg-options',
                  'default_hooks.checkpoint.interval=1',
                  'train_cfg.max_iters=1', 'train_cfg.val_interval=10') as run:
        output = run.stdout.read()
    path = osp.join(work_dir, 'iter_1.pth')
    if not osp.isfile(path):
        raise SystemExit(f'No checkpoint was written:\n{output[-2000:]}')
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
    point_to(work_dir, path)


def main() -> None:
    parser = make_parser(__doc__)
    parser.set_defaults(repeats=3)
    parser.add_argument('--iteration', type=positive, default=60000)
    parser.add_argument('--max-iters', type=positive, default=70000)
    args = parser.parse_args()
    # A signal to end, too, leaves by the clean-up of training().
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    cfg = load_config(args)
    cfg.train_cfg.max_iters = args.max_iters
    cfg.default_hooks.logger.interval = 1
    with tempfile.TemporaryDirectory() as folder:
        config = osp.join(folder, 'config.py')
        cfg.dump(config)
        made = osp.join(folder, 'made')
        make_checkpoint(config, made, args.iteration)

        def fresh() -> float:
            return seconds_to_iteration(1, config, osp.join(folder, 'fresh'))

        def resumed() -> float:
            return seconds_to_iteration(args.iteration + 1, config, made,
                                        '--resume', 'auto')

        results = interleave(dict(fresh=fresh, resumed=resumed), args.repeats)
    late = np.array(results['resumed']) - np.array(results['fresh'])
    print(f'{args.config}: to the first iteration, resumed at '
          f'{args.iteration} of {args.max_iters}; {machine()}; {args.repeats} '
          'rounds\n')
    print(
        table(('start', 'median s', 'least', 'most'), *(
            (name, f'{np.median(v):.1f}', f'{min(v):.1f}', f'{max(v):.1f}')
            for name, v in results.items())))
    print(f'\nresumed - fresh: {np.median(late):.1f} s')


if __name__ == '__main__':
    main()
