"""Loading checkpoints: no code runs, what MMEngine saves is allowed."""

import os
import pickle
import re

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import load_from_local

from da_faster.engine.checkpoints.loading import (
    FORCE,
    RefusedCheckpoint,
    check_torch_version,
    trust_checkpoints,
)
from da_faster.errors import UserError


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    monkeypatch.setenv(FORCE, '0')
    trust_checkpoints(False)
    yield
    CheckpointLoader.register_scheme('', load_from_local, force=True)


def load(path) -> dict:
    return CheckpointLoader.load_checkpoint(str(path), map_location='cpu')


class Evil:
    """Makes a folder when it is loaded."""

    def __init__(self, folder) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.folder),)


class Reach:
    """Reaches any builtin through the getattr that MMEngine allows."""

    def __reduce__(self) -> tuple:
        return getattr, (getattr, '__self__')


@pytest.fixture
def evil(tmp_path):
    torch.save(
        dict(state_dict={}, meta=Evil(tmp_path / 'made')), tmp_path / 'x.pth'
    )
    return tmp_path / 'x.pth'


def test_code_in_a_checkpoint_does_not_run(evil, tmp_path):
    with pytest.raises(RefusedCheckpoint) as error:
        load(evil)
    assert not (tmp_path / 'made').exists()
    assert str(error.value) == (
        f'{evil} holds more than weights (posix.mkdir) and was not loaded: '
        'loading it could run code of whoever made it. If you trust its '
        'maker, give --trust-checkpoint.'
    )


def test_no_other_function_of_loading_runs_code(evil, tmp_path):
    """MMEngine's loader tries a second time, without the restriction."""
    for path in (evil, tmp_path / 'legacy.pth'):
        if not path.exists():
            torch.save(
                Evil(tmp_path / 'made'),
                path,
                _use_new_zipfile_serialization=False,
            )
        for load_file in (
            load,
            lambda p: load_from_local(str(p), 'cpu'),
            lambda p: torch.load(p, weights_only=False),
        ):
            with pytest.raises((RefusedCheckpoint, pickle.UnpicklingError)):
                load_file(path)
    assert not (tmp_path / 'made').exists()


def test_getattr_reaches_nothing_but_the_log(tmp_path):
    torch.save(dict(x=Reach()), tmp_path / 'x.pth')
    with pytest.raises(RefusedCheckpoint, match="'__self__'"):
        load(tmp_path / 'x.pth')


def test_trusted_files_are_loaded_as_they_are(evil, tmp_path):
    trust_checkpoints(True)
    load(evil)
    assert (tmp_path / 'made').is_dir()


def test_what_mmengine_saves_is_loaded(tmp_path):
    buffer = HistoryBuffer([1.0, 2.0], [1, 1])
    torch.save(
        dict(
            state_dict=dict(w=torch.ones(2)),
            message_hub=dict(
                log_scalars=dict(loss=buffer),
                runtime_info=dict(best=np.float64(3), ids=np.arange(3)),
            ),
        ),
        tmp_path / 'x.pth',
    )
    hub = load(tmp_path / 'x.pth')['message_hub']
    assert hub['log_scalars']['loss'].statistics('mean') == 1.5
    assert hub['runtime_info']['best'] == 3


def test_a_file_of_numpy_1(tmp_path):
    """NumPy 1 has other module names for its functions."""
    array = np.arange(4.0)
    torch.save(dict(x=array, y=array[1]), tmp_path / 'x.pth')
    import zipfile

    with (
        zipfile.ZipFile(tmp_path / 'x.pth') as new,
        zipfile.ZipFile(tmp_path / 'old.pth', 'w') as old,
    ):
        for name in new.namelist():
            old.writestr(
                name, new.read(name).replace(b'numpy._core.', b'numpy.core.')
            )
    loaded = load(tmp_path / 'old.pth')
    assert loaded['x'].tolist() == [0, 1, 2, 3] and loaded['y'] == 1


@pytest.mark.parametrize(
    'content, sentence',
    [
        (b'', 'is no checkpoint, or a damaged one'),
        (b'PK\3\4 and then nothing', 'is no checkpoint, or a damaged one'),
        (b'GIF89a', 'holds more than weights|is no checkpoint'),
    ],
)
def test_other_files(tmp_path, content, sentence):
    (tmp_path / 'x.pth').write_bytes(content)
    with pytest.raises(RefusedCheckpoint, match=sentence):
        load(tmp_path / 'x.pth')


def test_a_digest_that_does_not_match(tmp_path):
    torch.save({}, tmp_path / 'x.pth')
    (tmp_path / 'x.pth.sha256').write_text(f'{"0" * 64}  x.pth\n')
    with pytest.raises(RefusedCheckpoint, match='not match x.pth.sha256'):
        load(tmp_path / 'x.pth')


def test_what_mmengine_saves_is_loaded_after_mmengine_loaded(tmp_path):
    path = tmp_path / 'x.pth'
    torch.save(dict(log=HistoryBuffer([1.0], [1])), path)
    with torch.serialization.safe_globals([HistoryBuffer]):
        torch.load(path, weights_only=False)
    assert load(path)['log'].data == (np.array([1.0]), np.array([1]))


@pytest.mark.parametrize('version', ['2.0.1', '2.5.1+cu121', '1.13.0'])
def test_an_old_pytorch_is_one_sentence(version):
    with pytest.raises(UserError, match=f'^PyTorch {re.escape(version)} is '):
        check_torch_version(version)


@pytest.mark.parametrize('version', ['2.6.0', '2.13.0+cpu', '3.0.0a0'])
def test_a_new_pytorch_is_taken(version):
    check_torch_version(version)


def test_a_missing_file_that_the_config_names(tmp_path):
    """The saved config of a resumed run may name a file that was removed."""
    with pytest.raises(RefusedCheckpoint, match='x.pth does not exist; check'):
        load(tmp_path / 'x.pth')
