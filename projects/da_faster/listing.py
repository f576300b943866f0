"""The images of a folder, without the files that systems leave there."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')
# macOS's zip files and Synology's drives hold thumbnails and attributes under
# the names of images.
SYSTEM_FOLDERS = ('__MACOSX', '@eaDir')


def is_hidden(name: str | PurePath) -> bool:
    """Whether a file is hidden, or lies in a hidden folder.

    macOS leaves ``._a.jpg`` beside ``a.jpg``, notebooks leave
    ``.ipynb_checkpoints/a-checkpoint.jpg``.

    Args:
        name (str | PurePath): Path relative to the folder that is read. That
            folder itself may lie in a hidden one.
    """
    return any(
        part.startswith('.') and part != '..' or part in SYSTEM_FOLDERS
        for part in PurePath(name).parts
    )


def choose_evenly(items: Sequence, number: int) -> list:
    """Chooses a number of items, evenly over all, the first one included.

    Args:
        items (Sequence): The items to choose from.
        number (int): How many to choose; all of them where there are fewer.
    """
    number = min(number, len(items))
    return [items[i * len(items) // number] for i in range(number)]


def list_files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Lists the files below a folder, subfolders included.

    Hidden files are passed over. Links to folders are followed, but no folder
    is read twice.

    Args:
        folder (Path): The folder; a missing one has no files.
        suffixes (Sequence[str]): Endings of the file names, case ignored.

    Returns:
        list[Path]: The files, sorted by the path relative to the folder.
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
