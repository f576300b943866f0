"""Runs trainings as jobs of a SLURM cluster, through submitit."""

import os
import os.path as osp
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from da_faster.errors import UserError

# submitit ends a job after five minutes unless it is told a time.
MINUTES = 240
# A job that reaches its time limit resumes in another job, so many times.
LIMITS = 100


class Training:
    """The function that a job calls: it trains.

    submitit calls ``checkpoint`` shortly before the time limit, and where the
    cluster needs the node. Then the training saves a checkpoint, and the job
    goes back to the queue to resume.

    The class is pickled by value. So the job needs no package but submitit,
    and starts without the seconds that PyTorch takes.

    Args:
        command (list[str]): The command line, which resumes the training.
        log (str): The file for the output of the training.
    """

    def __init__(self, command: list[str], log: str) -> None:
        self.command = command
        self.log = log

    def __call__(self) -> int:
        """Trains; returns the exit code."""
        with open(self.log, 'a') as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.leaving = False
        signal.signal(signal.SIGTERM, self._leave)
        code = None
        # No blocking wait: it would hold a lock that `checkpoint` needs.
        # After a signal, SLURM ends the job or queues it again.
        while code is None or self.leaving:
            time.sleep(0.5)
            code = self.process.poll()
        return code

    def _leave(self, *args) -> None:
        """Lets the training save and end, after scancel or a preemption."""
        if not self.leaving:
            self.leaving = True
            self.process.terminate()

    def checkpoint(self):
        """Ends the training; returns the job that resumes it."""
        from submitit.helpers import DelayedSubmission

        self._leave()
        deadline = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        return DelayedSubmission(type(self)(self.command, self.log))


class Job:
    """A training in the queue or under way.

    Args:
        job (submitit.Job): The job of a :class:`Training`.
        log (str): The file for the output of the training.
    """

    def __init__(self, job, log: str) -> None:
        self.job = job
        self.log = log

    def poll(self) -> int | None:
        """Returns the exit code, or None if the training is not over."""
        from submitit.core.utils import UncompletedJobError

        if not self.job.done():
            return None
        try:
            return self.job.result()
        except UncompletedJobError as error:  # cancelled, out of memory, ...
            with open(self.log, 'a') as log:
                log.write(f'{error}\n')
            return 1


class Slurm:
    """Starts trainings as jobs of a SLURM cluster.

    The work dirs, the data and the environment have to be the same on the
    machines of the cluster and on this one.

    Args:
        options (dict): Options of submitit's SlurmExecutor: ``partition``,
            ``time`` in minutes, ``gres``, ``cpus_per_task``, ``mem``,
            ``account``, ...
        folder (str): The folder for submitit's scripts and logs.

    Raises:
        UserError: If submitit or SLURM is missing, or an option is unknown.
    """

    def __init__(self, options: Mapping, folder: str) -> None:
        try:
            import cloudpickle
            from submitit import SlurmExecutor
        except ImportError as error:
            raise UserError(
                '--slurm needs submitit: pip install submitit.'
            ) from error
        try:
            self.executor = SlurmExecutor(folder, max_num_timeout=LIMITS)
        except RuntimeError as error:
            raise UserError(
                '--slurm: there is no srun on this machine; run the command '
                'on one that jobs are submitted from.'
            ) from error
        cloudpickle.register_pickle_by_value(sys.modules[__name__])
        options = dict(time=MINUTES, job_name='da_faster') | dict(options)
        if not isinstance(options['time'], int):
            raise UserError(
                f'--slurm: give time in minutes, not {options["time"]!r}.'
            )
        try:
            self.executor.update_parameters(**options)
        except ValueError as error:
            said = ' '.join(str(error).split())
            raise UserError(f'--slurm: {said}.') from error

    def start(self, command: list[str], log: str) -> Job:
        """Puts a training in the queue.

        Args:
            command (list[str]): The command line, which resumes the training.
            log (str): The file for the output of the training.

        Raises:
            UserError: If SLURM refuses the job.
        """
        from submitit.core.utils import UncompletedJobError

        training = Training(command, osp.abspath(log))
        try:
            return Job(self.executor.submit(training), log)
        except (UncompletedJobError, OSError) as error:
            raise UserError(
                f'SLURM took no job ({str(error).strip()}); mend the options '
                'after --slurm.'
            ) from error

    def end(self, jobs: Sequence[Job], grace: float = 60.0) -> None:
        """Cancels jobs; a training saves a checkpoint first.

        Args:
            jobs (Sequence[Job]): Jobs in the queue or under way.
            grace (float): Seconds to wait for SLURM.
        """
        for job in jobs:
            job.job.cancel(check=False)
        deadline = time.monotonic() + grace
        left = list(jobs)
        while left and time.monotonic() < deadline:
            time.sleep(1)
            left = [j for j in left if not j.job.done(force_check=True)]
        if left:
            names = ', '.join(job.job.job_id for job in left)
            print(f'SLURM has not ended yet: {names}.', file=sys.stderr)
