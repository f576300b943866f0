"""Locks of work dirs, also on systems and file systems without locks."""

import errno
import os
import subprocess
import sys
import time

import pytest

from da_faster.engine import work_dir_lock
from da_faster.engine.work_dir_lock import (
    is_first_process,
    lock_work_dir,
    make_work_dir,
)
from da_faster.errors import UserError


def other_process(work_dir) -> int:
    """Exit code of another process that locks the work dir; 1: refused."""
    child = os.fork()
    if not child:
        code = 0
        try:
            lock_work_dir(str(work_dir))
        except UserError as error:
            (work_dir / 'said').write_text(str(error))
            code = 1
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_work_dir_in_use_is_one_sentence(tmp_path):
    lock = lock_work_dir(str(tmp_path))
    assert other_process(tmp_path) == 1
    said = (tmp_path / 'said').read_text()
    assert said.startswith(
        f'The work dir {tmp_path} is in use by another run (process '
        f'{os.getpid()} on '
    )
    assert said.endswith('); wait for it, or give another --work-dir.')
    lock.close()
    assert other_process(tmp_path) == 0


def test_it_is_free_again_after_its_run_was_killed(tmp_path):
    """The lock is free even while a worker of that run is alive."""
    lock = lock_work_dir(str(tmp_path))
    worker = os.fork()
    if not worker:
        time.sleep(60)
        os._exit(0)
    lock.close()
    assert other_process(tmp_path) == 0
    os.kill(worker, 9)
    os.waitpid(worker, 0)


def test_a_work_dir_that_cannot_be_made(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='cannot be written to .*--work-dir'):
        lock_work_dir(str(tmp_path / 'file/work_dir'))


@pytest.mark.parametrize(
    'answer', [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP]
)
def test_a_file_system_without_locks(tmp_path, monkeypatch, capsys, answer):
    """NFS and Lustre may have no locks: the run warns and continues."""

    def refuse(*args):
        raise OSError(answer, os.strerror(answer))

    monkeypatch.setattr(work_dir_lock.fcntl, 'lockf', refuse)
    lock_work_dir(str(tmp_path)).close()
    said = capsys.readouterr().out
    assert said.startswith(f'warning: {tmp_path} cannot be locked here (')
    assert said.endswith('make sure that no other run uses it.\n')


def test_a_system_without_locks(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(work_dir_lock, 'fcntl', None)
    lock_work_dir(str(tmp_path)).close()
    assert 'cannot be locked here' in capsys.readouterr().out


def test_a_work_dir_to_test_in(tmp_path, monkeypatch):
    make_work_dir(str(tmp_path / 'new'))
    assert (tmp_path / 'new').is_dir()
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    with pytest.raises(UserError, match='cannot be written to .*--work-dir'):
        make_work_dir(str(tmp_path / 'new'))


def test_import_on_a_system_without_fcntl_and_sigusr1():
    """Windows has neither."""
    code = """
import signal, sys
sys.modules['fcntl'] = None
del signal.SIGUSR1
import da_faster.apis
from da_faster.engine import PreemptionHook
assert PreemptionHook().signals == [signal.SIGTERM]
"""
    subprocess.run([sys.executable, '-c', code], check=True)


@pytest.mark.parametrize('name', ['RANK', 'SLURM_PROCID'])
def test_only_the_first_process_locks(monkeypatch, name):
    assert is_first_process()
    monkeypatch.setenv(name, '1')
    assert not is_first_process()
