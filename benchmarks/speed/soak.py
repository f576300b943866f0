"""Kills a training again and again, and compares the last weights."""

import os
import os.path as osp
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from da_faster.benchmarking.progress import ProgressLines, watch
from da_faster.benchmarking.training import train_command
from da_faster.errors import UserError


class Outcome(NamedTuple):
    """The record of a run that came to its end.

    Attributes:
        kills (int): How often the run was killed.
        seconds (float): The duration of the run.
        memory (dict[str, list[int]]): MiB of the process ``main`` and of the
            largest of the ``workers``, twice a second.
    """

    kills: int
    seconds: float
    memory: dict[str, list[int]]


def resident(pid: int) -> int:
    """Returns the MiB of a process in memory; 0 if it has just ended."""
    try:
        with open(f'/proc/{pid}/status') as file:
            for line in file:
                if line.startswith('VmRSS'):
                    return int(line.split()[1]) >> 10
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def children(pid: int) -> list[int]:
    """Returns the ids of the processes that a process has started."""
    try:
        with open(f'/proc/{pid}/task/{pid}/children') as file:
            return [int(child) for child in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def soak(
    launch: Callable[[], int],
    kills: int,
    span: float,
    tick: Callable[[], None] = lambda: None,
) -> Outcome:
    """Launches and kills a run until it comes to its end.

    Args:
        launch (callable): Starts or resumes the run as a child process, and
            returns the process id.
        kills (int): How often to kill the run.
        span (float): The longest time to a kill in seconds.
        tick (callable): A function to call about twice a second.

    Raises:
        UserError: If the run fails by itself.
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
            tick()
            memory['main'].append(resident(pid))
            memory['workers'].append(
                max(map(resident, children(pid)), default=0)
            )
            wait = deadline - time.monotonic() if killed < kills else 0.5
            time.sleep(min(max(wait, 0), 0.5))
        if not done:
            continue
        code = os.waitstatus_to_exitcode(status)
        if code:
            raise UserError(f'The run ended with exit code {code}.')
        return Outcome(killed, time.monotonic() - begin, memory)


def soak_config(
    config: str,
    work_dir: str,
    cfg_options: Sequence[str] = (),
    kills: int = 0,
    span: float = 0.0,
) -> Outcome:
    """Soaks a training of a config, and shows the progress.

    The output of the training goes to ``train.log`` in the work dir.

    Args:
        config (str): The train config file.
        work_dir (str): The work dir of the training.
        cfg_options (Sequence[str]): ``KEY=VALUE`` options of tools/train.py.
        kills (int): How often to kill the training.
        span (float): The longest time to a kill in seconds.

    Raises:
        UserError: If the training fails.
    """
    progress = watch(config, work_dir, cfg_options)
    os.makedirs(work_dir, exist_ok=True)
    command = train_command(
        config,
        work_dir,
        '--resume',
        'auto',
        '--cfg-options',
        'randomness.seed=0',
        *cfg_options,
    )

    def launch() -> int:
        with open(osp.join(work_dir, 'train.log'), 'a') as log:
            return subprocess.Popen(command, stdout=log, stderr=log).pid

    with ProgressLines(1) as lines:
        lines.add(work_dir, progress)
        try:
            return soak(launch, kills, span, lines.update)
        except UserError as error:
            raise UserError(f'{error} See {work_dir}/train.log.') from None


def differing(first: str, second: str) -> list[str]:
    """Names the weights that differ between two checkpoint files."""
    one, two = [
        torch.load(path, map_location='cpu', weights_only=False)['state_dict']
        for path in (first, second)
    ]
    return sorted(
        set(one) ^ set(two)
        | {k for k in set(one) & set(two) if not torch.equal(one[k], two[k])}
    )


def growth(samples: list[int]) -> str:
    """Compares the memory of a process early and late in its life.

    Args:
        samples (list[int]): MiB at equal intervals of time.
    """
    samples = [s for s in samples if s]
    part = len(samples) // 4
    if not part:
        return 'too short to tell'
    early = np.median(samples[part : 2 * part])
    late = np.median(samples[-part:])
    return f'{early:.0f} MiB in the second quarter, {late:.0f} in the last'
