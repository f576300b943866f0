import errno
import os

import pytest

from da_faster import files
from da_faster.files import file_sha256, write_atomically


def test_sha256(tmp_path):
    """FIPS 180-2 gives the digest of 'abc'."""
    (tmp_path / 'x').write_bytes(b'abc')
    assert file_sha256(str(tmp_path / 'x')) == (
        'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    )


def test_the_folder_is_made(tmp_path):
    write_atomically(b'new', str(tmp_path / 'a/b/x'))
    assert (tmp_path / 'a/b/x').read_bytes() == b'new'
    assert os.listdir(tmp_path / 'a/b') == ['x']


def refuse(*args) -> None:
    raise OSError(errno.ENOSPC, 'No space left on device')


@pytest.mark.parametrize('call', ['fsync', 'replace'])
def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch, call):
    path = tmp_path / 'x'
    path.write_bytes(b'old')
    monkeypatch.setattr(files.os, call, refuse)
    with pytest.raises(OSError, match='No space left'):
        write_atomically(b'new', str(path))
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['x']


@pytest.mark.parametrize('answer', [errno.EINVAL, errno.ENOSYS, errno.EBADF])
def test_a_file_system_without_fsync(tmp_path, monkeypatch, answer):
    """Some network file systems have no fsync; the file is written."""

    def refuse(descriptor):
        raise OSError(answer, os.strerror(answer))

    monkeypatch.setattr(files.os, 'fsync', refuse)
    write_atomically(b'new', str(tmp_path / 'x'))
    assert (tmp_path / 'x').read_bytes() == b'new'


def test_a_folder_that_cannot_be_opened(tmp_path, monkeypatch):
    """Windows cannot open a folder; the file is written nevertheless."""

    def refuse(path, flags):
        raise PermissionError(errno.EACCES, path)

    monkeypatch.setattr(files.os, 'open', refuse)
    write_atomically(b'new', str(tmp_path / 'x'))
    assert (tmp_path / 'x').read_bytes() == b'new'
