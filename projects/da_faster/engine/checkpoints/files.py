"""Checkpoint files that are complete or not there.

Beside each checkpoint lies its SHA-256, ``iter_N.pth.sha256``, in the format
of ``sha256sum -c``. ``last_checkpoint`` holds the path of the newest one, as
MMEngine's own functions expect. A work dir can be moved or copied all the
same: a work dir with checkpoints of its own never takes one of elsewhere.
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


def try_to_write(work_dir: str) -> None:
    """Writes a small file as checkpoints are written, and removes it.

    Raises:
        UserError: If that fails, as where the file system cannot rename.
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
    """LocalBackend whose files are written as a whole, digest beside."""

    def put(self, obj: bytes, filepath: str) -> None:
        # The old digest first: a file without one is still checked, one
        # beside another file's would be taken for damaged.
        remove_if_there(f'{filepath}{DIGEST}')
        write_atomically(obj, filepath)
        line = f'{hashlib.sha256(obj).hexdigest()}  {osp.basename(filepath)}\n'
        write_atomically(line.encode(), f'{filepath}{DIGEST}')

    def remove(self, filepath: str) -> None:
        super().remove(filepath)
        remove_if_there(f'{filepath}{DIGEST}')


def find_damage(path: str) -> str | None:
    """What is wrong with a checkpoint file, or None.

    Without a digest the check sums are looked at that torch writes into the
    file, and does not check when it reads.
    """
    try:
        return damage_of(path)
    except OSError as error:  # a network file system that lost it
        return f'cannot be read ({error.strerror})'


def damage_of(path: str) -> str | None:
    """:func:`find_damage` of a file that can be read."""
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


def point_to(work_dir: str, checkpoint: str) -> None:
    """Makes a checkpoint the one that a resume of the work dir takes."""
    write_atomically(
        osp.abspath(checkpoint).encode(), osp.join(work_dir, POINTER)
    )


def pointed_at(work_dir: str) -> str | None:
    """The checkpoint that ``last_checkpoint`` names, whether it exists or not.

    None where there is no such file, or an empty one.
    """
    pointer = osp.join(work_dir, POINTER)
    if not osp.isfile(pointer):
        return None
    with open(pointer) as file:
        path = file.read().strip()
    if not path:
        return None
    path = osp.join(work_dir, path)  # an absolute one stays
    if steps_in(work_dir) or not osp.isdir(osp.dirname(path)):
        # Its own, also where the work dir was moved or copied.
        return osp.join(work_dir, osp.basename(path))
    return path


def steps_in(folder: str) -> list[str]:
    """The checkpoints of iterations, or of epochs, in a folder."""
    names = os.listdir(folder) if osp.isdir(folder) else []
    return [
        osp.join(folder, name)
        for name in names
        if re.fullmatch(r'(iter|epoch)_\d+\.pth', name)
    ]


def candidates(work_dir: str) -> list[str]:
    """Checkpoints a resume may take, the best first.

    That is the one that was written last, then those of fewer iterations. Of
    more iterations there may be some of an earlier run in the same folder.
    """

    def step(path: str) -> int:
        return int(re.findall(r'\d+', osp.basename(path))[-1])

    last = pointed_at(work_dir)
    folder = osp.dirname(last) if last else work_dir
    others = steps_in(folder)
    others.sort(key=step, reverse=True)
    if not last:
        return others
    if not re.search(r'\d', osp.basename(last)):
        return [last]
    return [last] + [path for path in others if step(path) < step(last)]


def find_resumable(work_dir: str, tell) -> str | None:
    """The newest undamaged checkpoint of a work dir, if any.

    Args:
        work_dir (str): The work dir.
        tell (callable): Is given a sentence for each that was passed over.

    Raises:
        UserError: If there are checkpoints, and all are damaged.
    """
    found = candidates(work_dir)
    for path in found:
        damage = find_damage(path)
        if damage is None:
            return path
        tell(f'{path} {damage}; the resume takes the next older checkpoint.')
    if found:
        raise UserError(
            f'No checkpoint in {work_dir} is undamaged: nothing to resume. '
            'Give --resume a file of another folder, or train without '
            '--resume.'
        )
    return None
