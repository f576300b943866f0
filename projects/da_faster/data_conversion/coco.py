"""What the converters share: reading, counting and writing COCO files.

A converter reads its images with ``track``, which keeps their order. It puts
them into one ``CocoSplit`` per annotation file and hands those to
``write_splits``. A converter that also writes images works inside an
``atomic_folder``. What the user has to mend is raised as a
``ConversionError``. Boxes that are left out are counted by reason.
"""

import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import (
    NamedTuple,
)

from PIL import Image

from da_faster.errors import UserError
from da_faster.files import file_sha256
from da_faster.image_files import loaded_size
from da_faster.progress import progress

AnyPath = str | Path
CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')


class ConversionError(UserError):
    """The data or an argument is wrong; the text says how to mend it."""


class Box(NamedTuple):
    """A labelled box. See :meth:`CocoSplit.add_box` for its fields."""

    label: str
    x1: float
    y1: float
    x2: float
    y2: float
    area: float | None = None
    iscrowd: int = 0
    segmentation: dict | None = None


class Sample(NamedTuple):
    """What a converter read of one image. All labels are still there.

    Args:
        file_name: Relative to the image folder.
        size: Width and height, pixels.
        boxes: Its boxes, with the labels of the dataset.
        notes: How much was left out or altered while reading, by reason.
    """

    file_name: str
    size: tuple[int, int]
    boxes: Sequence[Box] = ()
    notes: dict[str, int] | None = None


def check_positive(**numbers: int) -> None:
    """Refuses a number below 1. The keywords name the options."""
    for name, number in numbers.items():
        if number < 1:
            raise ConversionError(
                f'--{name.replace("_", "-")} must be at least 1, got {number}.'
            )


def check_choice(choices: Sequence, **values) -> None:
    """Refuses a value that is not one of ``choices``."""
    for name, value in values.items():
        if value not in choices:
            raise ConversionError(
                f'--{name.replace("_", "-")} must be one of '
                f'{", ".join(map(str, choices))}, got '
                f'{value}.'
            )


def class_map(items: Sequence[str]) -> dict[str, str]:
    """Which labels to keep, and under which name.

    Args:
        items: Each ``LABEL`` or ``LABEL=CLASS``. The order of the classes
            gives the category ids 1, 2, ...

    Returns:
        {label of the dataset: class of the result}.
    """
    if isinstance(items, str):
        raise ConversionError(
            f'--classes {items!r} is one text: give a list of labels.'
        )
    names = {}
    for item in items:
        label, equals, name = item.partition('=')
        if not label or (equals and not name) or label in names:
            raise ConversionError(
                f'--classes {item}: give every label once, as LABEL or '
                'LABEL=CLASS.'
            )
        names[label] = name or label
    return names


def track(
    function: Callable,
    tasks: Iterable,
    nproc: int | None = None,
    skip_broken: bool | None = None,
) -> list:
    """``[function(task) for task in tasks]`` in processes, with progress.

    A ConversionError does not keep the other tasks from being tried, so one
    run names all broken files. Any other error ends it at once, as does a
    process that was killed.

    Args:
        function: Is pickled, as are the tasks and the results.
        tasks: What to call it with.
        nproc: Processes; None: one per core. A single one is this process.
        skip_broken: Whether a ConversionError takes the place of its result
            (``build_splits`` leaves it out and counts it) or is raised. None:
            raised, and the command has no such option.

    Returns:
        The results, in the order of the tasks.

    Raises:
        ConversionError: With the sentences of all that were raised.
    """
    nproc = os.cpu_count() if nproc is None else nproc
    check_positive(nproc=nproc)
    tasks = list(tasks)
    count = len(tasks)
    nproc = min(nproc, count)
    function = partial(attempt, function)
    if nproc <= 1:
        results = list(progress(map(function, tasks), count, 'images'))
    else:
        # A multiprocessing.Pool would wait forever for a killed process.
        with ProcessPoolExecutor(nproc) as pool:
            results = pool.map(
                function, tasks, chunksize=min(8, 1 + count // nproc)
            )
            results = list(progress(results, count, 'images'))
    errors = [item for item in results if isinstance(item, ConversionError)]
    if errors and not skip_broken:
        raise all_in_one(errors, count, can_skip=skip_broken is not None)
    return results


def attempt(function: Callable, task):
    """The result of ``function(task)``, or the ConversionError it raised."""
    try:
        return function(task)
    except ConversionError as error:
        return error


def all_in_one(
    errors: Sequence[ConversionError], count: int, can_skip: bool
) -> ConversionError:
    """One error for those of several images.

    Args:
        errors: At least one.
        count: The number of images.
        can_skip: Whether the command has --skip-broken.
    """
    first, *others = map(str, errors)
    if not others:
        mend = ' --skip-broken leaves it out.' if can_skip else ''
        return ConversionError(first + mend)
    if len(errors) == count:
        # Then it is not the files, and one of them tells as much as all.
        return ConversionError(f'none of {count} images can be used: {first}')
    mend = ', or leave them out with --skip-broken' if can_skip else ''
    return ConversionError(
        '\n'.join([first, *others])
        + f'\n{len(errors)} of {count} images cannot be used, see above: mend '
        f'them{mend}.'
    )


@contextmanager
def atomic_folder(
    out: AnyPath, contents: Sequence[str], force: bool = False
) -> Iterator[Path]:
    """Yields a hidden sibling of ``out`` that becomes ``out`` on success.

    After any error the sibling is gone and ``out`` is as it was.

    Args:
        out: The folder to make.
        contents: The top-level names the converter writes. A folder that
            holds anything else is never replaced.
        force: Replace an ``out`` of an earlier run.

    Raises:
        ConversionError: If ``out`` is not to be replaced, or for an OSError
            of the body.
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


def refuse_existing(
    out: Path, names: Iterable[str], force: bool, option: str = '--out'
) -> None:
    """Raises where ``out/<name>.json`` exists, unless ``force`` is set.

    Converters call it before they read anything. Those that can give the
    result another name say so with ``option``.
    """
    for name in names:
        path = out / f'{name}.json'
        if path.exists() and not force:
            raise ConversionError(
                f'{path} exists: give --force to replace it, or another '
                f'{option}.'
            )


def write_splits(
    splits: dict[str, 'CocoSplit'], out: Path, force: bool
) -> dict[Path, 'CocoSplit']:
    """Writes ``out/<name>.json`` for every split.

    All are written under another name first, so an error leaves the earlier
    files. Other files of the folder are left alone.

    Returns:
        {path of the annotation file: its content}.
    """
    refuse_existing(out, splits, force)
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


def read_lines(path: Path, mend: str) -> list[str]:
    """Lines of a text file; ``mend`` ends the sentence of an error."""
    try:
        return path.read_text(encoding='utf-8-sig').splitlines()
    except FileNotFoundError:
        raise ConversionError(f'{path} is missing: {mend}') from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConversionError(
            f'{path} is not a text file ({error}): {mend}'
        ) from error


def read_json(path: Path):
    """Content of a json file."""
    try:
        with open(path, encoding='utf-8-sig') as file:
            return json.load(file)
    except FileNotFoundError:
        raise ConversionError(f'{path} is missing: check the path.') from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConversionError(
            f'{path} is not whole json ({error}): download or export it again.'
        ) from error


def finite(*values) -> tuple[float, ...]:
    """The values as numbers. Raises a ValueError where one is not finite."""
    numbers = tuple(map(float, values))
    if not all(map(math.isfinite, numbers)):
        raise ValueError('a corner is not finite')
    return numbers


def from_relative(
    edges: Sequence[float], size: tuple[int, int]
) -> tuple[float, ...]:
    """Edges in pixels, of edges relative to the image.

    Args:
        edges: Left, upper, right and lower one, 0 to 1.
        size: Width and height of the image.

    Returns:
        To 1/100 pixel, as a few digits leave the edge of the image a little
        off. (+ 0 makes -0 a 0.)
    """
    return tuple(
        round(edge * length, 2) + 0 for edge, length in zip(edges, size * 2)
    )


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of an image that was decoded to its last line.

    They are those of the image as the training loads it: turned by its EXIF
    orientation.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return loaded_size(path, image)
    except FileNotFoundError:
        raise ConversionError(
            f'{path} is missing: complete the download of the dataset.'
        ) from None
    except Image.DecompressionBombError as error:
        raise ConversionError(
            f'{path} is too large ({error}): cut it into tiles.'
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ConversionError(
            f'{path} is not a readable image ({error}): download it again.'
        ) from error


class CocoSplit:
    """One COCO annotation file in the making.

    Args:
        classes: Class names; their order gives the category ids 1, 2, ...
        first_image_id: Images are counted from here.

    Attributes:
        category_ids: {class name: category id}.
        images: COCO's entries, one per image.
        annotations: COCO's entries, one per box.
        notes: How many boxes or images were left out or altered, by reason.
            Converters count their own reasons here too.
        broken: What is wrong with each image that was left out for it.
    """

    def __init__(
        self, classes: Sequence[str], first_image_id: int = 1
    ) -> None:
        self.first_image_id = first_image_id
        self.category_ids = {name: i for i, name in enumerate(classes, 1)}
        self.images: list = []
        self.annotations: list = []
        self.notes: Counter = Counter()
        self.broken: list[str] = []

    def add_sample(
        self, sample: Sample | ConversionError, names: dict[str, str]
    ) -> None:
        """Adds an image and those of its boxes whose label ``names`` has.

        An error in the place of an image is noted.
        """
        if isinstance(sample, ConversionError):
            self.notes['broken images left out'] += 1
            self.broken.append(str(sample))
            return
        self.add_image(sample.file_name, *sample.size)
        self.notes.update(sample.notes or {})
        for label, *rest in sample.boxes:
            if label not in names:
                self.notes[f'{label} boxes left out'] += 1
            else:
                self.add_box(names[label], *rest)

    def add_image(self, file_name: str, width: int, height: int) -> None:
        """Adds an image; the boxes added next belong to it."""
        self.images.append(
            dict(
                id=self.first_image_id + len(self.images),
                file_name=file_name,
                width=width,
                height=height,
            )
        )

    def add_box(
        self,
        class_name: str,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        area: float | None = None,
        iscrowd: int = 0,
        segmentation: dict | None = None,
    ) -> None:
        """Adds a box to the last image, clipped to it.

        Args:
            class_name: Name of its class.
            x1, y1, x2, y2: Left, upper, right and lower edge, in pixels from
                the upper left corner of the image; kept to 1/100 pixel.
            area: Area of the object's mask, pixels; None: that of the box.
            iscrowd: 1 for a region that neither training nor evaluation
                counts for or against a detector.
            segmentation: The mask, in COCO's run lengths; None: no mask.

        Raises:
            ValueError: If an edge is not finite.
        """
        finite(x1, y1, x2, y2)
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
                area=round(width * height, 2) if area is None else area,
                iscrowd=iscrowd,
            )
        )
        if segmentation is not None:
            self.annotations[-1]['segmentation'] = segmentation

    def count_boxes(self) -> dict[str, int]:
        """Number of boxes by class name, in the order of the classes."""
        counts = Counter(item['category_id'] for item in self.annotations)
        return {name: counts[i] for name, i in self.category_ids.items()}

    def content(self) -> dict[str, list]:
        """The annotation file as a dictionary."""
        return dict(
            images=self.images,
            annotations=self.annotations,
            categories=[
                dict(id=i, name=name) for name, i in self.category_ids.items()
            ],
        )

    def save(self, path: Path) -> None:
        """Writes the file. The same content always gives the same bytes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(self.content(), ensure_ascii=False) + '\n',
            encoding='utf-8',
        )


def build_splits(
    samples: dict[str, Sequence[Sample | ConversionError]],
    names: dict[str, str],
    labelled: bool = True,
) -> dict[str, CocoSplit]:
    """One CocoSplit per list of samples.

    Args:
        samples: By name of the split; see :func:`track` for the errors.
        names: Class by label, see :func:`class_map`.
        labelled: Raise where no label is one of ``names``: most often they
            are spelled in another way.

    Raises:
        ConversionError: If a split has no image, or for want of labels.
    """
    splits = {}
    for name, some in samples.items():
        split = splits[name] = CocoSplit(list(dict.fromkeys(names.values())))
        for sample in some:
            split.add_sample(sample, names)
        if split.broken and not split.images:
            raise ConversionError(
                f'{name} has no image that can be used, e.g. {split.broken[0]}'
            )
        if not split.images:
            raise ConversionError(
                f'{name} has no image: check the source '
                'folder and the options.'
            )
    found = Counter(
        box.label
        for some in samples.values()
        for sample in some
        if isinstance(sample, Sample)
        for box in sample.boxes
    )
    if labelled and not found:
        raise ConversionError(
            'no image has a box: check the label files and the options.'
        )
    if labelled and not any(label in names for label in found):
        known = ', '.join(map(str, found))
        raise ConversionError(
            f'no box has one of the labels {", ".join(names)}; the files have '
            f'{known}: set --classes.'
        )
    return splits


def summary(written: dict[Path, CocoSplit]) -> str:
    """A table of the images, the boxes and the SHA-256 of every file.

    What was left out or altered follows, a line per reason.

    Args:
        written: What a converter returned.
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
