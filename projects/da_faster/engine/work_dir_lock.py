"""What keeps two runs out of one work dir."""

import fcntl
import os
import os.path as osp
import socket
from typing import IO

from da_faster.errors import UserError

LOCK = '.lock'


def is_first_process() -> bool:
    """Of its run, by the launchers' word: there is no process group yet."""
    names = 'RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'
    return all(os.environ.get(name, '0') == '0' for name in names)


def lock_work_dir(work_dir: str) -> IO:
    """Takes the work dir for this process; keep what is returned.

    The system lets go of it however the process ends, by SIGKILL too. A
    record lock, as forked workers shall not inherit it.

    Raises:
        UserError: If another process has it, or nothing can be written.
    """
    path = osp.join(work_dir, LOCK)
    try:
        os.makedirs(work_dir, exist_ok=True)
        file = open(path, 'a+')
    except OSError as error:
        raise UserError(
            f'The work dir {work_dir} cannot be written to '
            f'({error.strerror}); give another --work-dir.'
        ) from error
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        raise UserError(
            f'The work dir {work_dir} is in use by another run '
            f'({file.read().strip() or "not known which"}); wait for it, or '
            'give another --work-dir.'
        ) from None
    file.truncate(0)
    file.write(f'process {os.getpid()} on {socket.gethostname()}\n')
    file.flush()
    return file
