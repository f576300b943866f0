"""Writing a file whole or not at all, and the hash of a file."""

import errno
import hashlib
import os
import os.path as osp

# Errors of file systems that cannot flush, or cannot flush a folder.
CANNOT_FLUSH = (
    errno.EACCES,
    errno.EBADF,
    errno.EINVAL,
    errno.EISDIR,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EPERM,
)


def write_atomically(content: bytes, path: str) -> None:
    """Writes a file so that a crash leaves the old file or the new one.

    Args:
        content (bytes): The whole content of the file.
        path (str): The file. Missing folders above it are made.

    Raises:
        OSError: If the file cannot be written; an old file is left as it was.
    """
    folder = osp.dirname(path) or '.'
    os.makedirs(folder, exist_ok=True)
    temporary = f'{path}.tmp'
    try:
        with open(temporary, 'wb') as file:
            file.write(content)
            file.flush()
            flush_to_disk(file.fileno())
        os.replace(temporary, path)
    except OSError:
        remove_if_there(temporary)
        raise
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows and some network file systems open no folder
        return
    try:
        flush_to_disk(descriptor)  # the new name has to survive a crash, too
    finally:
        os.close(descriptor)


def flush_to_disk(descriptor: int) -> None:
    """Calls fsync, and passes over a file system without it."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in CANNOT_FLUSH:
            raise


def remove_if_there(path: str) -> None:
    """Removes a file that may be missing."""
    try:
        os.remove(path)
    except FileNotFoundError:
        pass


def file_sha256(path: str) -> str:
    """Computes the SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    # hashlib.file_digest would do, but is new in Python 3.11.
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
