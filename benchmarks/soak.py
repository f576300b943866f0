"""Kill a training again and again: does it end as the uninterrupted one?

    python benchmarks/soak.py benchmarks/soak_config.py --kills 20

Trains once in peace, watching the memory of the process and of its workers;
then once more, killed with SIGKILL at random moments (start-up, step,
checkpoint, validation) and resumed with `--resume auto` each time. Fails where
the last weights differ in a bit. Prints the figures.
"""
import argparse
import os
import os.path as osp
import random
import signal
import subprocess
import sys
import time
from typing import Callable, Dict, List, NamedTuple

import numpy as np
import torch

ROOT = osp.dirname(osp.dirname(osp.abspath(__file__)))


class Outcome(NamedTuple):
    """Of a run that came to its end."""
    kills: int
    seconds: float
    memory: Dict[str, List[int]]  # MiB, twice a second


def start(config: str, work_dir: str, options: List[str]) -> int:
    """Starts or resumes a training; returns its process id."""
    os.makedirs(work_dir, exist_ok=True)
    with open(osp.join(work_dir, 'train.log'), 'a') as log:
        return subprocess.Popen(
            [
                sys.executable,
                osp.join(ROOT, 'tools/train.py'), config, '--work-dir',
                work_dir, '--resume', 'auto', '--cfg-options', *options
            ],
            cwd=ROOT,
            stdout=log,
            stderr=log).pid


def resident(pid: int) -> int:
    """MiB of a process in memory; 0 where it has just ended."""
    try:
        with open(f'/proc/{pid}/status') as file:
            for line in file:
                if line.startswith('VmRSS'):
                    return int(line.split()[1]) >> 10
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def children(pid: int) -> List[int]:
    try:
        with open(f'/proc/{pid}/task/{pid}/children') as file:
            return [int(child) for child in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def soak(launch: Callable[[], int], kills: int, span: float) -> Outcome:
    """Launches, kills and launches again until the run is at its end.

    Args:
        launch (callable): Starts or resumes the run as a child process,
            returns its id.
        kills (int): How often to kill it.
        span (float): A kill comes after 0 to so many seconds.

    Raises:
        SystemExit: If the run fails by itself.
    """
    memory = dict(main=[], workers=[])
    begin = time.monotonic()
    killed = 0
    while True:
        pid = launch()
        deadline = time.monotonic() + random.uniform(0, span)
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            if killed < kills and time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                killed += 1
                os.waitpid(pid, 0)
                break
            memory['main'].append(resident(pid))
            memory['workers'].append(max(map(resident, children(pid)),
                                         default=0))
            wait = deadline - time.monotonic() if killed < kills else 0.5
            time.sleep(min(max(wait, 0), 0.5))
        if not done:
            continue
        code = os.waitstatus_to_exitcode(status)
        if code:
            raise SystemExit(f'The run ended with exit code {code}.')
        return Outcome(killed, time.monotonic() - begin, memory)


def differing(first: str, second: str) -> List[str]:
    """Names of the weights that differ between two checkpoints."""
    one, two = [
        torch.load(path, map_location='cpu', weights_only=False)['state_dict']
        for path in (first, second)
    ]
    return sorted(
        set(one) ^ set(two)
        | {k for k in set(one) & set(two) if not torch.equal(one[k], two[k])})


def growth(samples: List[int]) -> str:
    """Medians of a process's memory early and late in its life."""
    samples = [s for s in samples if s]
    part = len(samples) // 4
    if not part:
        return 'too short to tell'
    early = np.median(samples[part:2 * part])
    late = np.median(samples[-part:])
    return f'{early:.0f} MiB in the second quarter, {late:.0f} in the last'


def last_checkpoint(work_dir: str) -> str:
    with open(osp.join(work_dir, 'last_checkpoint')) as file:
        return osp.join(work_dir, file.read().strip())


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config')
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--seed', type=int, default=0, help='of the kills')
    parser.add_argument('--work-dir', default='work_dirs/soak')
    parser.add_argument('--cfg-options', nargs='+', default=[])
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    random.seed(args.seed)
    options = ['randomness.seed=0', *args.cfg_options]
    dirs = [osp.join(args.work_dir, name) for name in ('whole', 'killed')]
    if any(map(osp.exists, dirs)):
        raise SystemExit(f'{args.work_dir} holds runs already; remove it or '
                         'give another --work-dir.')
    whole = soak(lambda: start(args.config, dirs[0], options), 0, 0)
    print(f'uninterrupted: {whole.seconds:.0f} s')
    for name, samples in whole.memory.items():
        print(f'memory, {name}: {growth(samples)}')
    span = 2 * whole.seconds / max(args.kills, 1)
    killed = soak(lambda: start(args.config, dirs[1], options), args.kills,
                  span)
    print(f'{killed.kills} kills: {killed.seconds:.0f} s')
    differ = differing(*map(last_checkpoint, dirs))
    if differ:
        raise SystemExit(f'{len(differ)} weights differ: {differ[0]}, ...')
    print('last weights: equal to the last bit')


if __name__ == '__main__':
    main()
