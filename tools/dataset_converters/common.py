"""What the dataset converters of this folder share.

A converter fills one ``CocoSplit`` per annotation file inside an
``atomic_folder`` and prints ``summary`` of them at the end.  Whatever the user
has to mend is raised as a ``ConversionError`` with one sentence.
"""
import hashlib
import json
import math
import os
import shutil
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, Sequence, Tuple

from PIL import Image


class ConversionError(SystemExit):
    """Ends the command with one sentence on stderr and exit code 1."""


@contextmanager
def atomic_folder(out: Path,
                  contents: Sequence[str],
                  force: bool = False) -> Iterator[Path]:
    """Yields a hidden sibling of ``out`` that becomes ``out`` on success.

    After any error the sibling is gone and ``out`` is as it was.

    Args:
        out: The folder to make.
        contents: The top-level names the converter writes.  A folder holding
            anything else is never replaced.
        force: Replace an ``out`` of an earlier run.
    """
    out = Path(out).resolve()
    if out.exists() and not out.is_dir():
        raise ConversionError(f'{out} is a file: give another --out.')
    present = {path.name for path in out.iterdir()} if out.exists() else set()
    foreign = sorted(present.difference(contents))
    if foreign:
        raise ConversionError(f'{out} also holds {foreign[0]}, which is not '
                              'of this converter: give another --out.')
    if present and not force:
        raise ConversionError(
            f'{out} exists: give --force to replace it, or another --out.')
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


def image_size(path: Path) -> Tuple[int, int]:
    """Width and height of an image that was decoded to its last line."""
    try:
        with Image.open(path) as image:
            image.load()
            return image.size
    except FileNotFoundError:
        raise ConversionError(
            f'{path} is missing: complete the download of the dataset.')
    except (OSError, SyntaxError, ValueError) as error:
        raise ConversionError(f'{path} is not a readable image ({error}): '
                              'download it again.')


def sha256(path: Path) -> str:
    """SHA-256 of a file as hexadecimal digits."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class CocoSplit:
    """One COCO annotation file in the making.

    Args:
        classes: Class names; their order gives the category ids 1, 2, ...

    Attributes:
        notes: How many boxes or images were left out or altered, by reason.
            Converters count their own reasons here too.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.category_ids = {name: i for i, name in enumerate(classes, 1)}
        self.images: list = []
        self.annotations: list = []
        self.notes: Counter = Counter()

    def add_image(self, file_name: str, width: int, height: int) -> None:
        """Adds an image; the boxes added next belong to it."""
        self.images.append(
            dict(
                id=len(self.images) + 1,
                file_name=file_name,
                width=width,
                height=height))

    def add_box(self, class_name: str, x1: float, y1: float, x2: float,
                y2: float) -> None:
        """Adds a box given by its corners, in pixels from the image's edge.

        It is clipped to the image; corners are kept to 1/100 pixel.
        """
        if not all(map(math.isfinite, (x1, y1, x2, y2))):
            raise ValueError('a corner is not finite')
        if x2 <= x1 or y2 <= y1:
            self.notes['zero-size boxes left out'] += 1
            return
        image = self.images[-1]
        left, right = (min(max(x, 0), image['width']) for x in (x1, x2))
        top, bottom = (min(max(y, 0), image['height']) for y in (y1, y2))
        width, height = round(right - left, 2), round(bottom - top, 2)
        if width <= 0 or height <= 0:
            self.notes['boxes outside the image left out'] += 1
            return
        if (left, top, right, bottom) != (x1, y1, x2, y2):
            self.notes['boxes clipped to the image'] += 1
        self.annotations.append(
            dict(
                id=len(self.annotations) + 1,
                image_id=image['id'],
                category_id=self.category_ids[class_name],
                bbox=[round(left, 2), round(top, 2), width, height],
                area=round(width * height, 2),
                iscrowd=0))

    def save(self, path: Path) -> None:
        """Writes the file; the same content always gives the same bytes."""
        categories = [
            dict(id=i, name=name) for name, i in self.category_ids.items()
        ]
        content = dict(
            images=self.images,
            annotations=self.annotations,
            categories=categories)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(content, ensure_ascii=False) + '\n', encoding='utf-8')


def summary(splits: Dict[str, CocoSplit], annotations: Path) -> str:
    """A table of images, boxes and SHA-256 of ``annotations/<split>.json``.

    The notes of every split follow.
    """
    classes = list(next(iter(splits.values())).category_ids)
    rows = [['annotations', 'images', *classes, 'SHA-256']]
    notes = []
    for name, split in splits.items():
        path = Path(annotations) / f'{name}.json'
        boxes = Counter(item['category_id'] for item in split.annotations)
        counts = [boxes[i] for i in split.category_ids.values()]
        rows.append([path.name, len(split.images), *counts, sha256(path)])
        notes += [f'{name}: {reason}: {n}'
                  for reason, n in sorted(split.notes.items())]
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows)]
    lines = [
        '  '.join(str(cell).ljust(width) for cell, width in zip(row, widths))
        for row in rows
    ]
    return '\n'.join([line.rstrip() for line in lines] + notes)
