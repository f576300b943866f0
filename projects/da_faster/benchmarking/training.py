"""Starts and ends trainings, each a process of tools/train.py."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from da_faster.package_configs import carried_root

TRAIN = carried_root() / 'tools/train.py'


def train_command(config: str, work_dir: str, *options: str) -> list[str]:
    """Returns the command line of a training.

    Args:
        config (str): The config file.
        work_dir (str): The work dir.
        *options: More options of tools/train.py.
    """
    return [
        sys.executable,
        str(TRAIN),
        config,
        '--work-dir',
        work_dir,
        *options,
    ]


class LocalExecutor:
    """Starts trainings as processes of this machine.

    Args:
        jobs (int): Trainings at the same time. They share the cores, unless
            OMP_NUM_THREADS is set.
    """

    def __init__(self, jobs: int = 1) -> None:
        # A container or taskset may leave this process some of the cores. A
        # Mac does not say which.
        if hasattr(os, 'sched_getaffinity'):
            cores = len(os.sched_getaffinity(0))
        else:
            cores = os.cpu_count() or 1
        self.threads = max(cores // jobs, 1)

    def start(self, command: list[str], log: str) -> subprocess.Popen:
        """Starts a training.

        Args:
            command (list[str]): The command line.
            log (str): The file for the output of the training.
        """
        # Threads that wait without spinning leave the cores to the loaders.
        env = dict(OMP_NUM_THREADS=str(self.threads)) | os.environ
        env['OMP_WAIT_POLICY'] = 'PASSIVE'
        with open(log, 'a') as file:
            # Ctrl-C reaches this process alone, which then ends the training.
            return subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    @staticmethod
    def end(trainings: Sequence[subprocess.Popen]) -> None:
        """Ends trainings; each saves a checkpoint first."""
        end(trainings)


def end(trainings: Sequence[subprocess.Popen], grace: float = 60.0) -> None:
    """Ends trainings; each saves a checkpoint first if it has time to.

    Args:
        trainings (Sequence[Popen]): Processes with ``start_new_session``, so
            that their workers end as well.
        grace (float): Seconds until the processes are killed.
    """
    for training in trainings:
        training.terminate()
    deadline = time.monotonic() + grace
    try:
        for training in trainings:
            with contextlib.suppress(subprocess.TimeoutExpired):
                training.wait(max(deadline - time.monotonic(), 0))
    finally:  # also if a second signal ends the wait
        for training in trainings:
            kill(training)


def kill(training: subprocess.Popen) -> None:
    """Kills a training and its workers at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(training.pid, signal.SIGKILL)
    training.wait()
