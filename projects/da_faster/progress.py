"""How far a command is that goes through many files."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.progress import track

T = TypeVar('T')


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Hands items on and shows how many have come.

    Args:
        items (iterable): Come one by one, each when it is done.
        total (int): How many will come.
        what (str): What they are, for people.

    Yields:
        Each item. A terminal shows a bar meanwhile; a file gets one line at
        the end, as bars would fill it.
    """
    if sys.stdout.isatty():
        yield from track(items, what, total)
    else:
        yield from items
        print(f'{total}/{total} {what}', flush=True)
