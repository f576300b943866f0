"""Writes several files together: all of them, or none."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from da_faster.errors import UserError


def check_free(paths: Sequence[Path], force: bool) -> None:
    """Raises a UserError if a result exists and may not be replaced."""
    for path in paths:
        if path.is_dir():
            raise UserError(f'{path} is a folder: give another output.')
        if path.exists() and not force:
            raise UserError(
                f'{path} exists: give --force to replace it, or '
                'another output.'
            )


def write_together(
    results: dict[Path, Callable[[Path], None]], force: bool = False
) -> None:
    """Writes all results, or none after an error.

    Args:
        results: Maps the path of each result to the function that writes it.
            The function gets another path, to write to.
        force: Replace what exists.

    Raises:
        UserError: If a result exists or cannot be written.
    """
    check_free(list(results), force)
    hidden = {
        path: path.with_name(f'.{path.name}.{os.getpid()}.new')
        for path in results
    }
    try:
        for path, save in results.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            save(hidden[path])
        for path in results:
            os.replace(hidden[path], path)
    except (OSError, RuntimeError) as error:  # torch.save raises the latter
        raise UserError(f'{path} was not written: {error}.') from error
    finally:
        for path in hidden.values():
            with suppress(OSError):  # the file may never have been written
                path.unlink()
