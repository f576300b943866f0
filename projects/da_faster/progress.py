"""The progress of a command that goes through many files."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.progress import track

T = TypeVar('T')


def progress(items: Iterable[T], total: int, name: str) -> Iterator[T]:
    """Yields the items and shows how many were yielded.

    A terminal shows a bar. Any other output gets one line at the end, since
    a bar would fill a log file.

    Args:
        items (iterable): Finished work, one item after the other.
        total (int): Number of the items.
        name (str): Name of the items in the plural, as "images".
    """
    if sys.stdout.isatty():
        yield from track(items, name, total)
    else:
        yield from items
        print(f'{total}/{total} {name}', flush=True)
