"""Trainings as jobs of SLURM, with fake commands."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from da_faster.benchmarking.cluster import Slurm
from da_faster.errors import UserError

pytest.importorskip('submitit')

# Stands for a training: waits for a signal unless it resumes.
TRAINING = """
import os, signal, sys, time
folder = sys.argv[1]
def leave(*_):
    open(os.path.join(folder, 'saved'), 'w').close()
    sys.exit(75)
signal.signal(signal.SIGTERM, leave)
print('trains', flush=True)
if not os.path.exists(os.path.join(folder, 'saved')):
    time.sleep(float(sys.argv[2]))
sys.exit(int(sys.argv[3]))
"""


@pytest.fixture
def slurm(fake_slurm, tmp_path):
    """Makes a Slurm that uses the fake commands."""
    return lambda **options: Slurm(options, str(tmp_path / 'jobs'))


@pytest.fixture
def command(tmp_path):
    """The command line of a training that waits and ends with a code."""
    script = tmp_path / 'train.py'
    script.write_text(TRAINING)

    def give(wait: float, code: int = 0) -> list:
        return [sys.executable, *map(str, (script, tmp_path, wait, code))]

    return give


def wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def trains(log: Path, times: int = 1):
    return lambda: log.exists() and log.read_text().count('trains') == times


@pytest.mark.slow
def test_a_job_ends_with_the_training_s_code(
    slurm, fake_slurm, command, tmp_path
):
    log = tmp_path / 'train.log'
    place = slurm(partition='gpu', gres='gpu:1', time=90)
    jobs = [place.start(command(0, code), str(log)) for code in (0, 3)]
    wait_until(lambda: all(job.poll() is not None for job in jobs))
    assert [job.poll() for job in jobs] == [0, 3]
    assert trains(log, 2)()
    (script, _) = sorted(fake_slurm.glob('*.sh'))
    for line in ('partition=gpu', 'gres=gpu:1', 'time=90', 'signal=USR2@90'):
        assert f'#SBATCH --{line}' in script.read_text()


@pytest.mark.slow
def test_a_time_limit_saves_and_resumes(slurm, fake_slurm, command, tmp_path):
    log = tmp_path / 'train.log'
    job = slurm().start(command(999), str(log))
    wait_until(trains(log))
    assert job.poll() is None
    task = int((fake_slurm / '1.task').read_text())
    os.kill(task, signal.SIGUSR2)
    wait_until(lambda: job.poll() is not None)
    assert job.poll() == 0
    assert (tmp_path / 'saved').exists() and trains(log, 2)()
    assert (fake_slurm / '1.requeued').exists()


@pytest.mark.slow
def test_cancelled_jobs_save_first(slurm, command, tmp_path):
    log = tmp_path / 'train.log'
    place = slurm()
    job = place.start(command(999), str(log))
    wait_until(trains(log))
    job.job._results_timeout_s = 0
    place.end([job])
    assert (tmp_path / 'saved').exists()
    assert job.poll() == 1
    assert 'CANCELLED' in log.read_text()


def test_what_slurm_refuses_is_one_sentence(slurm, command, tmp_path):
    place = slurm(partition='full')
    with pytest.raises(UserError, match='invalid partition specified: full'):
        place.start(command(0), str(tmp_path / 'train.log'))
    with pytest.raises(UserError, match=r"parameter\(s\): \['partiton'\]"):
        slurm(partiton='gpu')
    with pytest.raises(UserError, match="in minutes, not '08:00:00'"):
        slurm(time='08:00:00')


def test_without_slurm(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(UserError, match='there is no srun on this machine'):
        Slurm({}, str(tmp_path))
    monkeypatch.setitem(sys.modules, 'submitit', None)
    with pytest.raises(UserError, match='pip install submitit'):
        Slurm({}, str(tmp_path))
