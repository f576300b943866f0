"""Loading checkpoints without running what is in them."""

import os
import os.path as osp
import pickle

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader

from da_faster.errors import UserError

from .files import DIGEST, find_damage

# torch.load obeys it wherever it is called, so also where MMEngine loads from
# a URL, and where it would try once more without the restriction.
FORCE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'


# The first whose list of what may be loaded takes functions by name.
OLDEST_TORCH = 2, 6


def need_torch(version: str = torch.__version__) -> None:
    """Raises a UserError where PyTorch is too old to load checkpoints safely.

    There each of them would seem damaged.
    """
    if tuple(map(int, version.split('.')[:2])) < OLDEST_TORCH:
        raise UserError(
            f'PyTorch {version} is too old: da_faster needs 2.6 or newer, to '
            'load checkpoints without running code from them; install torch '
            '(and an mmcv built for it) anew, as docs/install.md says.'
        )


class RefusedCheckpoint(UserError):
    """A file that is not loaded."""


def statistics_method(owner: type, name: str):
    """The ``getattr`` of MMEngine's checkpoints, which hold their log.

    The real one in the hands of a stranger reaches any function of Python.
    """
    if owner is not HistoryBuffer or name.startswith('_'):
        raise pickle.UnpicklingError(f'getattr({owner!r}, {name!r})')
    return getattr(owner, name)


def allow_list() -> list:
    """What checkpoints of MMEngine may hold beside tensors and plain data."""
    core = np._core if hasattr(np, '_core') else np.core
    dtypes = {type(np.dtype(name)) for name in ('i4', 'i8', 'u4', 'f4', 'f8')}
    allowed = [
        slice,
        HistoryBuffer,
        np.ndarray,
        np.dtype,
        *dtypes,
        (statistics_method, 'builtins.getattr'),
    ]
    for function in (core.multiarray._reconstruct, core.multiarray.scalar):
        # NumPy 2 moved them; files of both times are read.
        for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
            allowed.append((function, f'{module}.{function.__name__}'))
    return allowed


def trust_checkpoints(trust: bool) -> None:
    """Whether checkpoints may hold more than weights, in this program.

    Concerns resume, ``load_from`` and ``init_cfg``.

    Args:
        trust (bool): True for files that may run code when they are loaded.

    Raises:
        UserError: If PyTorch is too old.
    """
    need_torch()
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
                # Again: torch's safe_globals(), which MMEngine uses, takes
                # off the list what others had put there.
                torch.serialization.add_safe_globals(allow_list())
            return torch.load(filename, map_location, weights_only=not trust)
        except pickle.UnpicklingError as error:
            raise RefusedCheckpoint(describe(filename, error)) from error
        except Exception as error:  # whatever bytes do to a reader
            raise RefusedCheckpoint(
                f'{filename} is no checkpoint, or a damaged one '
                f'({str(error).splitlines()[0] if str(error) else "empty"}).'
            ) from error

    CheckpointLoader.register_scheme('', load_from_local, force=True)


def describe(filename: str, error: pickle.UnpicklingError) -> str:
    """One sentence instead of torch's page."""
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
    what = ', '.join(sorted(set(found) - allowed)) or str(error)
    return (
        f'{filename} holds more than weights ({what}) and was not loaded: '
        'loading it could run code of whoever made it. If you trust its '
        'maker, give --trust-checkpoint.'
    )
