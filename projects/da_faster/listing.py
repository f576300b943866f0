"""Which files of a folder are images, and which ones systems leave there."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')
# Of macOS's zip files and of Synology's drives: thumbnails and attributes
# under the names of images.
SYSTEM_FOLDERS = ('__MACOSX', '@eaDir')


def is_hidden(name: str | PurePath) -> bool:
    """Whether a file is hidden, or is in a hidden folder.

    macOS leaves ``._a.jpg`` beside ``a.jpg``, notebooks leave
    ``.ipynb_checkpoints/a-checkpoint.jpg``.

    Args:
        name (str | PurePath): Relative to the folder that is read, since that
            folder itself may well lie in a hidden one.
    """
    return any(
        part.startswith('.') and part != '..' or part in SYSTEM_FOLDERS
        for part in PurePath(name).parts
    )


def spread(items: Sequence, number: int) -> list:
    """So many of the items, or all, evenly from the first on."""
    number = min(number, len(items))
    return [items[i * len(items) // number] for i in range(number)]


def list_files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """The files below a folder, in subfolders or not, without hidden ones.

    Links to folders are followed, each folder once.

    Args:
        folder (Path): Need not exist.
        suffixes (Sequence[str]): Endings of the names, case ignored.

    Returns:
        list[Path]: Sorted by their path relative to the folder.
    """
    endings = tuple(suffix.lower() for suffix in suffixes)
    return sorted(
        (f for f in _walk(Path(folder)) if f.name.lower().endswith(endings)),
        key=lambda path: path.relative_to(folder).as_posix(),
    )


def _walk(folder: Path) -> Iterator[Path]:
    seen = set()
    for where, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        real = os.path.realpath(where)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(where, n) for n in files if not is_hidden(n))
