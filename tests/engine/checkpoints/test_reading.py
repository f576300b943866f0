"""Checkpoints that are read without a Runner."""

from pathlib import Path

import pytest
import torch

from da_faster.engine.checkpoints.loading import allow_list
from da_faster.engine.checkpoints.reading import read_checkpoint
from da_faster.errors import UserError


class Payload:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_code_runs_only_if_trusted(tmp_path):
    ran = tmp_path / 'ran'
    torch.save(dict(x=Payload(ran)), tmp_path / 'x.pth')
    with pytest.raises(UserError, match='give --trust-checkpoint if'):
        read_checkpoint(tmp_path / 'x.pth', allow=allow_list())
    assert not ran.exists()
    read_checkpoint(tmp_path / 'x.pth', trust=True)
    assert ran.exists()


@pytest.mark.parametrize('trust', [False, True])
@pytest.mark.parametrize(
    'content', [b'', b'junk', b'hello', b'<html>', 300, [1]]
)
def test_unreadable_checkpoint(tmp_path, content, trust):
    path = tmp_path / 'x.pth'
    torch.save([1] if content == [1] else dict(x=torch.zeros(99)), path)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == 300:
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UserError) as error:
        read_checkpoint(path, trust)
    assert str(error.value).startswith(str(path))
    assert '\n' not in str(error.value)


def test_missing_checkpoint(tmp_path):
    with pytest.raises(UserError, match='does not exist; check the path'):
        read_checkpoint(tmp_path / 'x.pth')
