"""Checkpoint files: atomic writing, damage, and what a resume takes."""

import errno
import hashlib
import os
import shutil

import pytest
import torch
from mmengine.runner import find_latest_checkpoint

from da_faster.engine.checkpoints import files as checkpoint_files
from da_faster.engine.checkpoints.files import (
    AtomicBackend,
    check_writable,
    find_damage,
    find_resumable,
    resume_candidates,
    set_last_checkpoint,
)
from da_faster.errors import UserError


@pytest.fixture
def work_dir(tmp_path):
    """Three checkpoints with digests; last_checkpoint names the third."""
    for step in (3, 6, 9):
        torch.save(dict(weight=torch.arange(4096.0)), tmp_path / 'plain')
        AtomicBackend().put(
            (tmp_path / 'plain').read_bytes(),
            str(tmp_path / f'iter_{step}.pth'),
        )
    (tmp_path / 'plain').unlink()
    set_last_checkpoint(str(tmp_path), str(tmp_path / 'iter_9.pth'))
    return tmp_path


def flip_a_byte(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def clear(path) -> None:
    path.write_bytes(b'')


DAMAGES = dict(
    flipped=(flip_a_byte, 'does not match iter_9.pth.sha256'),
    truncated=(cut, 'does not match iter_9.pth.sha256'),
    empty=(clear, 'is empty'),
    missing=(os.remove, 'is missing'),
)


def resumable(work_dir) -> tuple:
    warnings = []
    path = find_resumable(str(work_dir), warnings.append)
    return path and os.path.basename(path), warnings


def test_the_last_checkpoint_is_taken_in_silence(work_dir):
    assert resumable(work_dir) == ('iter_9.pth', [])
    assert find_latest_checkpoint(str(work_dir)) == str(
        work_dir / 'iter_9.pth'
    )


@pytest.mark.parametrize('damage', DAMAGES)
def test_a_damaged_one_is_passed_over(work_dir, damage):
    change, sentence = DAMAGES[damage]
    change(work_dir / 'iter_9.pth')
    name, warnings = resumable(work_dir)
    assert name == 'iter_6.pth'
    (text,) = warnings
    assert text == (
        f'{work_dir}/iter_9.pth {sentence}; the resume takes the next older '
        'checkpoint.'
    )


@pytest.mark.parametrize('change', [flip_a_byte, cut])
def test_damage_is_seen_without_a_digest(work_dir, change):
    path = work_dir / 'iter_9.pth'
    (work_dir / 'iter_9.pth.sha256').unlink()
    assert find_damage(str(path)) is None
    change(path)
    assert find_damage(str(path)) == 'is truncated or damaged'


def test_only_damaged_checkpoints_are_one_sentence(work_dir):
    for path in work_dir.glob('*.pth'):
        flip_a_byte(path)
    with pytest.raises(UserError, match='are damaged: nothing to resume'):
        resumable(work_dir)


def test_no_checkpoint_at_all(tmp_path):
    assert resumable(tmp_path) == resumable(tmp_path / 'no') == (None, [])


@pytest.mark.parametrize(
    'pointer', [None, '', '/elsewhere/w/iter_9.pth', 'iter_9.pth']
)
def test_a_lost_or_foreign_pointer(work_dir, pointer):
    """``last_checkpoint`` is missing, empty, of a moved work dir, relative.

    Version 0.1.0 wrote relative paths.
    """
    (work_dir / 'last_checkpoint').unlink()
    if pointer is not None:
        (work_dir / 'last_checkpoint').write_text(pointer)
    assert resumable(work_dir) == ('iter_9.pth', [])


def test_checkpoints_of_an_earlier_run_are_no_candidates(work_dir):
    """A new run in the folder of an old one has come to iteration 6."""
    set_last_checkpoint(str(work_dir), str(work_dir / 'iter_6.pth'))
    assert [os.path.basename(p) for p in resume_candidates(str(work_dir))] == [
        'iter_6.pth',
        'iter_3.pth',
    ]


def test_a_copied_work_dir_takes_its_own_files(work_dir, tmp_path_factory):
    copy = tmp_path_factory.mktemp('copy') / 'work_dir'
    shutil.copytree(work_dir, copy)
    assert find_resumable(str(copy), print) == str(copy / 'iter_9.pth')
    (copy / 'iter_9.pth').unlink()  # to go back a step
    assert resumable(copy)[0] == 'iter_6.pth'
    assert find_resumable(str(copy), lambda text: None) == str(
        copy / 'iter_6.pth'
    )


def test_checkpoints_in_another_folder(work_dir, tmp_path_factory):
    other = tmp_path_factory.mktemp('work_dir')
    set_last_checkpoint(str(other), str(work_dir / 'iter_9.pth'))
    assert find_resumable(str(other), print) == str(work_dir / 'iter_9.pth')
    os.remove(work_dir / 'iter_9.pth')
    assert resumable(other)[0] == 'iter_6.pth'


def test_the_digest_is_one_of_sha256sum(work_dir):
    content = (work_dir / 'iter_3.pth').read_bytes()
    assert (work_dir / 'iter_3.pth.sha256').read_text() == (
        f'{hashlib.sha256(content).hexdigest()}  iter_3.pth\n'
    )


def test_removing_takes_the_digest_along(work_dir):
    AtomicBackend().remove(str(work_dir / 'iter_3.pth'))
    assert not list(work_dir.glob('iter_3*'))


@pytest.mark.parametrize('call', ['fsync', 'replace'])
def test_a_kill_during_a_write_leaves_the_old_checkpoint(work_dir, call):
    """The process is killed before the flush, or before the renaming."""
    path = str(work_dir / 'iter_9.pth')
    child = os.fork()
    if not child:
        setattr(checkpoint_files.os, call, lambda *_: os._exit(9))
        AtomicBackend().put(b'new', path)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert find_damage(path) is None
    assert resumable(work_dir) == ('iter_9.pth', [])


def test_a_file_system_without_rename(tmp_path, monkeypatch):
    """The error is raised before the training, not at a checkpoint."""
    check_writable(str(tmp_path))
    assert not list(tmp_path.iterdir())

    def refuse(old, new):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(checkpoint_files.os, 'replace', refuse)
    with pytest.raises(UserError, match='renamed and removed .*--work-dir'):
        check_writable(str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_that_the_file_system_lost(work_dir, monkeypatch):
    """The resume takes the next older checkpoint."""
    whole = checkpoint_files.file_sha256

    def stale(path):
        if path.endswith('iter_9.pth'):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return whole(path)

    monkeypatch.setattr(checkpoint_files, 'file_sha256', stale)
    path, warnings = resumable(work_dir)
    assert path.endswith('iter_6.pth')
    assert 'iter_9.pth cannot be read (Stale file handle)' in warnings[0]
