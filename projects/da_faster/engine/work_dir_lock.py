"""What keeps two runs out of one work dir."""

import errno
import os
import os.path as osp
import socket
from typing import IO

from da_faster.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LOCK = '.lock'


def is_first_process() -> bool:
    """Of its run, by the launchers' word: there is no process group yet."""
    names = 'RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'
    return all(os.environ.get(name, '0') == '0' for name in names)


def refused(work_dir: str, error: OSError) -> UserError:
    return UserError(
        f'The work dir {work_dir} cannot be written to ({error.strerror}); '
        'give another --work-dir.'
    )


def make_work_dir(work_dir: str) -> None:
    """Makes a work dir that is written to without being locked.

    Raises:
        UserError: If nothing can be written there.
    """
    try:
        os.makedirs(work_dir, exist_ok=True)
        if not os.access(work_dir, os.W_OK):
            raise OSError(errno.EACCES, 'no right to write')
    except OSError as error:
        raise refused(work_dir, error) from error


def lock_work_dir(work_dir: str) -> IO:
    """Takes the work dir for this process; keep what is returned.

    The system lets go of it however the process ends, by SIGKILL too. A
    record lock, as forked workers shall not inherit it. Where the system or
    the file system has no such locks, a warning says so.

    Raises:
        UserError: If another process has it, or nothing can be written.
    """
    path = osp.join(work_dir, LOCK)
    try:
        os.makedirs(work_dir, exist_ok=True)
        # Not to append, which stores of objects refuse.
        file = open(path, 'r+' if osp.exists(path) else 'w+')
    except OSError as error:
        raise refused(work_dir, error) from error
    try:
        if fcntl is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise UserError(
                f'The work dir {work_dir} is in use by another run '
                f'({file.read().strip() or "not known which"}); wait for it, '
                'or give another --work-dir.'
            ) from None
        print(
            f'warning: {work_dir} cannot be locked here ({error.strerror}): '
            'see to it that no other run uses it.',
            flush=True,
        )
    try:
        file.truncate(0)
        file.write(f'process {os.getpid()} on {socket.gethostname()}\n')
        file.flush()
    except OSError as error:
        raise refused(work_dir, error) from error
    return file
