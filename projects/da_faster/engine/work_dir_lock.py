"""Locks a work dir, so that no two runs write to it."""

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
    """Whether this is the first process of its run.

    The launcher's environment tells, as there is no process group yet.
    """
    names = 'RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'
    return all(os.environ.get(name, '0') == '0' for name in names)


def not_writable(work_dir: str, error: OSError) -> UserError:
    """The error for a work dir that cannot be written to."""
    return UserError(
        f'The work dir {work_dir} cannot be written to ({error.strerror}); '
        'give another --work-dir.'
    )


def make_work_dir(work_dir: str) -> None:
    """Makes a work dir without locking it.

    Raises:
        UserError: If nothing can be written there.
    """
    try:
        os.makedirs(work_dir, exist_ok=True)
        if not os.access(work_dir, os.W_OK):
            raise OSError(errno.EACCES, 'no right to write')
    except OSError as error:
        raise not_writable(work_dir, error) from error


def lock_work_dir(work_dir: str) -> IO:
    """Locks the work dir for this process, and makes it if it is missing.

    The lock is a record lock: forked workers do not inherit it, and the system
    releases it however the process ends, by SIGKILL too. If the system or the
    file system has no such locks, a warning says so.

    Returns:
        IO: The lock file. Closing it releases the lock, so keep it.

    Raises:
        UserError: If another process has the lock, or nothing can be written.
    """
    path = osp.join(work_dir, LOCK)
    try:
        os.makedirs(work_dir, exist_ok=True)
        # Not mode 'a+': mounted object stores refuse to append.
        file = open(path, 'r+' if osp.exists(path) else 'w+')
    except OSError as error:
        raise not_writable(work_dir, error) from error
    try:
        if fcntl is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise UserError(
                f'The work dir {work_dir} is in use by another run '
                f'({file.read().strip() or "unknown process"}); wait for it, '
                'or give another --work-dir.'
            ) from None
        print(
            f'warning: {work_dir} cannot be locked here ({error.strerror}): '
            'make sure that no other run uses it.',
            flush=True,
        )
    try:
        file.truncate(0)
        file.write(f'process {os.getpid()} on {socket.gethostname()}\n')
        file.flush()
    except OSError as error:
        raise not_writable(work_dir, error) from error
    return file
