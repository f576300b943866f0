"""Loads checkpoints without running code from them."""

import os
import os.path as osp
import pickle

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader

from da_faster.errors import UserError

from .files import DIGEST, find_damage

# torch.load obeys this variable wherever it is called: when MMEngine loads
# from a URL, too, and when it tries again without the restriction.
FORCE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'

# The first version of PyTorch whose allow list takes functions by name.
OLDEST_TORCH = 2, 6


def check_torch_version(version: str = torch.__version__) -> None:
    """Raises a UserError if PyTorch is too old to load checkpoints safely.

    An older PyTorch would refuse every checkpoint, as if it were damaged.
    """
    if tuple(map(int, version.split('.')[:2])) < OLDEST_TORCH:
        raise UserError(
            f'PyTorch {version} is too old: da_faster needs 2.6 or newer, to '
            'load checkpoints without running code from them; install torch '
            '(and an mmcv built for it) anew, as docs/install.md says.'
        )


class RefusedCheckpoint(UserError):
    """A checkpoint that is refused."""


def history_method(owner: type, name: str):
    """Replaces the ``getattr`` that MMEngine's checkpoints call.

    Checkpoints hold the log, whose HistoryBuffer restores its methods by
    ``getattr``. The builtin would give a checkpoint any function of Python.
    """
    if owner is not HistoryBuffer or name.startswith('_'):
        raise pickle.UnpicklingError(f'getattr({owner!r}, {name!r})')
    return getattr(owner, name)


def allow_list() -> list:
    """Types and functions that checkpoints of MMEngine may hold.

    Tensors and plain data are always allowed.
    """
    core = np._core if hasattr(np, '_core') else np.core
    dtypes = {type(np.dtype(name)) for name in ('i4', 'i8', 'u4', 'f4', 'f8')}
    allowed = [
        slice,
        HistoryBuffer,
        np.ndarray,
        np.dtype,
        *dtypes,
        (history_method, 'builtins.getattr'),
    ]
    for function in (core.multiarray._reconstruct, core.multiarray.scalar):
        # NumPy 2 moved the functions; files of both versions are read.
        for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
            allowed.append((function, f'{module}.{function.__name__}'))
    return allowed


def trust_checkpoints(trust: bool) -> None:
    """Sets whether this program loads checkpoints that may run code.

    The setting holds for resume, ``load_from`` and ``init_cfg``.

    Args:
        trust (bool): Whether checkpoints may run code when they are loaded.

    Raises:
        UserError: If PyTorch is too old.
    """
    check_torch_version()
    if trust:
        os.environ.pop(FORCE, None)
    else:
        os.environ[FORCE] = '1'
        torch.serialization.add_safe_globals(allow_list())

    def load_from_local(filename: str, map_location) -> dict:
        filename = osp.expanduser(filename)
        if not osp.isfile(filename):
            raise RefusedCheckpoint(
                f'checkpoint {filename} does not exist; check load_from and '
                'init_cfg of the config.'
            )
        damage = osp.isfile(filename + DIGEST) and find_damage(filename)
        if damage:
            raise RefusedCheckpoint(
                f'{filename} {damage}; take another checkpoint.'
            )
        try:
            if not trust:
                # Add the list again: torch's safe_globals(), which MMEngine
                # uses, removes entries of others.
                torch.serialization.add_safe_globals(allow_list())
            return torch.load(filename, map_location, weights_only=not trust)
        except pickle.UnpicklingError as error:
            raise RefusedCheckpoint(
                describe_refusal(filename, error)
            ) from error
        except Exception as error:  # a damaged file may raise anything
            raise RefusedCheckpoint(
                f'{filename} is no checkpoint, or a damaged one '
                f'({str(error).splitlines()[0] if str(error) else "empty"}).'
            ) from error

    CheckpointLoader.register_scheme('', load_from_local, force=True)


def describe_refusal(filename: str, error: pickle.UnpicklingError) -> str:
    """Says in one sentence why torch refused to load a file."""
    with open(filename, 'rb') as file:
        start = file.read(2)
    if start != b'PK' and start[:1] != b'\x80':  # a zip file, or a pickle
        return f'{filename} is no checkpoint, or a damaged one.'
    try:
        found = torch.serialization.get_unsafe_globals_in_checkpoint(filename)
    except Exception:  # not a file of torch.save
        found = []
    allowed = {
        entry[1] for entry in allow_list() if isinstance(entry, tuple)
    } | {
        f'{entry.__module__}.{entry.__name__}'
        for entry in allow_list()
        if not isinstance(entry, tuple)
    }
    refused = ', '.join(sorted(set(found) - allowed)) or str(error)
    return (
        f'{filename} holds more than weights ({refused}) and was not loaded: '
        'loading it could run code of whoever made it. If you trust its '
        'maker, give --trust-checkpoint.'
    )
