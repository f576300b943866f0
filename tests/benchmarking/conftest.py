"""Fixture: SLURM's commands, replaced by fake ones."""

import os
import stat
import sys
from pathlib import Path

import pytest


@pytest.fixture
def fake_slurm(tmp_path, monkeypatch):
    """Puts the fake commands into the PATH, and returns the jobs' folder."""
    submitit = pytest.importorskip('submitit')
    folder = tmp_path / 'state'
    monkeypatch.setenv('PATH', f'{tmp_path}/bin:{os.environ["PATH"]}')
    monkeypatch.setenv('FAKE_SLURM', str(folder))
    folder.mkdir()
    (tmp_path / 'bin').mkdir()
    text = Path(__file__).with_name('fake_slurm.py').read_text()
    for name in ('sbatch', 'srun', 'sacct', 'scancel', 'scontrol'):
        path = tmp_path / 'bin' / name
        path.write_text(f'#!{sys.executable}\n{text}')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    yield folder
    submitit.SlurmJob.watcher.clear()
