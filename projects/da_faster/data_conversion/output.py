"""Writing of annotation files and folders, whole or not at all."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from da_faster.data_conversion.arguments import check_existing
from da_faster.data_conversion.coco import CocoSplit
from da_faster.data_conversion.samples import AnyPath, ConversionError
from da_faster.files import file_sha256


@contextmanager
def atomic_folder(
    out: AnyPath, contents: Sequence[str], force: bool = False
) -> Iterator[Path]:
    """Yields a hidden folder beside ``out`` that becomes ``out`` on success.

    After an error the hidden folder is removed and ``out`` is as it was.

    Args:
        out: The folder to make.
        contents: Names that the converter writes into the folder. A folder
            that holds any other name is never replaced.
        force: Replace an ``out`` of an earlier run.

    Raises:
        ConversionError: If ``out`` must not be replaced, or if the body raises
            an OSError.
    """
    out = Path(out).resolve()
    if out.exists() and not out.is_dir():
        raise ConversionError(f'{out} is a file: give another --out.')
    present = {path.name for path in out.iterdir()} if out.exists() else set()
    foreign = sorted(present.difference(contents))
    if foreign:
        raise ConversionError(
            f'{out} also holds {foreign[0]}, which is not '
            'of this converter: give another --out.'
        )
    if present and not force:
        raise ConversionError(
            f'{out} exists: give --force to replace it, or another --out.'
        )
    temporary = out.with_name(f'.{out.name}.{os.getpid()}.new')
    replaced = out.with_name(f'.{out.name}.{os.getpid()}.old')
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if out.exists():
            out.rename(replaced)
        temporary.rename(out)
    except OSError as error:
        raise ConversionError(f'{out} was not written: {error}.') from error
    finally:
        if replaced.exists() and not out.exists():
            replaced.rename(out)
        shutil.rmtree(replaced, ignore_errors=True)
        shutil.rmtree(temporary, ignore_errors=True)


def write_splits(
    splits: dict[str, CocoSplit], out: Path, force: bool
) -> dict[Path, CocoSplit]:
    """Writes ``out/<name>.json`` for every split.

    An error leaves the earlier files as they were. Other files of the folder
    are left alone.

    Args:
        splits: Content of the annotation files by name.
        out: The folder, made where it is missing.
        force: Replace earlier files.

    Returns:
        {path of the annotation file: its content}.
    """
    check_existing(out, splits, force)
    new = {}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, split in splits.items():
            new[name] = out / f'.{name}.json.{os.getpid()}.new'
            split.save(new[name])
        for name, path in new.items():
            path.replace(out / f'{name}.json')
    except OSError as error:
        raise ConversionError(f'{out} was not written: {error}.') from error
    finally:
        for path in new.values():
            path.unlink(missing_ok=True)
    return {out / f'{name}.json': split for name, split in splits.items()}


def save_into(
    folder: Path, out: Path, splits: dict[str, CocoSplit]
) -> dict[Path, CocoSplit]:
    """Writes ``annotations/<name>.json`` into an :func:`atomic_folder`.

    Args:
        folder: The folder that :func:`atomic_folder` yields.
        out: The folder that it will become.
        splits: Content of the annotation files by name.

    Returns:
        {path of the annotation file below ``out``: its content}.
    """
    for name, split in splits.items():
        split.save(folder / 'annotations' / f'{name}.json')
    return {
        out / 'annotations' / f'{name}.json': split
        for name, split in splits.items()
    }


def summary(written: dict[Path, CocoSplit]) -> str:
    """Makes a table of the images, boxes and SHA-256 of annotation files.

    Below the table there is a line for each reason why boxes or images were
    left out or altered.

    Args:
        written: The result of a converter's ``convert``.
    """
    classes = list(next(iter(written.values())).category_ids)
    rows = [['annotations', 'images', *classes, 'SHA-256']]
    notes = []
    for path, split in written.items():
        counts = split.count_boxes().values()
        rows.append([path.name, len(split.images), *counts, file_sha256(path)])
        notes += [
            f'{path.stem}: {reason}: {n}'
            for reason, n in sorted(split.notes.items())
        ]
        notes += [f'{path.stem}: left out: {text}' for text in split.broken]
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows)]
    lines = [
        '  '.join(str(cell).ljust(width) for cell, width in zip(row, widths))
        for row in rows
    ]
    return '\n'.join([line.rstrip() for line in lines] + notes)
