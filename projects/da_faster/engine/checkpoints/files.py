"""Writes checkpoint files as a whole and finds undamaged ones.

Beside each checkpoint lies its SHA-256, ``iter_N.pth.sha256``, in the format
of ``sha256sum -c``. ``last_checkpoint`` holds the path of the newest one, as
MMEngine's own functions expect. A work dir can be moved or copied: if it has
checkpoints, none outside it is taken, whatever path ``last_checkpoint`` holds.
"""

import hashlib
import os
import os.path as osp
import re
import zipfile

from mmengine.fileio import LocalBackend, register_backend

from da_faster.errors import UserError
from da_faster.files import file_sha256, remove_if_there, write_atomically

POINTER = 'last_checkpoint'
DIGEST = '.sha256'


def check_writable(work_dir: str) -> None:
    """Writes a small file in the way of checkpoints, and removes it.

    Raises:
        UserError: If that fails, for example because the file system cannot
            rename.
    """
    path = osp.join(work_dir, '.trial')
    try:
        write_atomically(b'x', path)
        os.remove(path)
    except OSError as error:
        raise UserError(
            f'The work dir {work_dir} does not let a file be written, renamed '
            f'and removed ({error.strerror}), as checkpoints have to be; give '
            'another --work-dir.'
        ) from error


@register_backend('atomic')
class AtomicBackend(LocalBackend):
    """LocalBackend that writes files as a whole, each with its digest."""

    def put(self, obj: bytes, filepath: str) -> None:
        # Remove the old digest first: it would make the new file seem
        # damaged, while a file without a digest can still be checked.
        remove_if_there(f'{filepath}{DIGEST}')
        write_atomically(obj, filepath)
        line = f'{hashlib.sha256(obj).hexdigest()}  {osp.basename(filepath)}\n'
        write_atomically(line.encode(), f'{filepath}{DIGEST}')

    def remove(self, filepath: str) -> None:
        super().remove(filepath)
        remove_if_there(f'{filepath}{DIGEST}')


def find_damage(path: str) -> str | None:
    """Says what is wrong with a checkpoint file; None if nothing is.

    A file is compared with its digest. Without one, the check sums inside the
    file are used: torch writes them, but does not check them when it reads.
    """
    try:
        return _find_damage(path)
    except OSError as error:  # a network file system that lost it
        return f'cannot be read ({error.strerror})'


def _find_damage(path: str) -> str | None:
    if not osp.isfile(path):
        return 'is missing'
    if osp.getsize(path) == 0:
        return 'is empty'
    if osp.isfile(path + DIGEST):
        with open(path + DIGEST) as file:
            expected = file.read().split(' ')[0]
        if file_sha256(path) == expected:
            return None
        return f'does not match {osp.basename(path)}{DIGEST}'
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is None:
                return None
    except (OSError, zipfile.BadZipFile):
        pass
    return 'is truncated or damaged'


def set_last_checkpoint(work_dir: str, checkpoint: str) -> None:
    """Makes a checkpoint the first choice of a resume in the work dir."""
    write_atomically(
        osp.abspath(checkpoint).encode(), osp.join(work_dir, POINTER)
    )


def last_checkpoint(work_dir: str) -> str | None:
    """The checkpoint that ``last_checkpoint`` names, whether it exists or not.

    Returns:
        str or None: The path; None if the file ``last_checkpoint`` is missing
        or empty.
    """
    pointer = osp.join(work_dir, POINTER)
    if not osp.isfile(pointer):
        return None
    with open(pointer) as file:
        path = file.read().strip()
    if not path:
        return None
    path = osp.join(work_dir, path)  # an absolute path stays as it is
    if step_checkpoints(work_dir) or not osp.isdir(osp.dirname(path)):
        # The work dir may have been moved or copied.
        return osp.join(work_dir, osp.basename(path))
    return path


def step_checkpoints(folder: str) -> list[str]:
    """Checkpoints in a folder that are named by iteration or epoch."""
    names = os.listdir(folder) if osp.isdir(folder) else []
    return [
        osp.join(folder, name)
        for name in names
        if re.fullmatch(r'(iter|epoch)_\d+\.pth', name)
    ]


def resume_candidates(work_dir: str) -> list[str]:
    """Checkpoints that a resume may take, the newest first.

    The first is the one that was written last; those of fewer iterations
    follow. Checkpoints of more iterations come from an earlier run in the
    same folder and are left out.
    """

    def step(path: str) -> int:
        return int(re.findall(r'\d+', osp.basename(path))[-1])

    last = last_checkpoint(work_dir)
    folder = osp.dirname(last) if last else work_dir
    others = step_checkpoints(folder)
    others.sort(key=step, reverse=True)
    if not last:
        return others
    if not re.search(r'\d', osp.basename(last)):
        return [last]
    return [last] + [path for path in others if step(path) < step(last)]


def find_resumable(work_dir: str, tell) -> str | None:
    """Finds the newest undamaged checkpoint of a work dir.

    Args:
        work_dir (str): The work dir.
        tell (callable): Is called with a sentence for each damaged checkpoint.

    Returns:
        str or None: The path; None if the work dir has no checkpoint.

    Raises:
        UserError: If all checkpoints are damaged.
    """
    found = resume_candidates(work_dir)
    for path in found:
        damage = find_damage(path)
        if damage is None:
            return path
        tell(f'{path} {damage}; the resume takes the next older checkpoint.')
    if found:
        raise UserError(
            f'All checkpoints in {work_dir} are damaged: nothing to resume. '
            'Give --resume a file of another folder, or train without '
            '--resume.'
        )
    return None
