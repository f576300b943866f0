"""Converter of labels in YOLO's format, a text file an image."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from da_faster.data_conversion.arguments import (
    check_existing,
    check_labels,
    class_map,
)
from da_faster.data_conversion.coco import CocoSplit, build_splits
from da_faster.data_conversion.output import write_splits
from da_faster.data_conversion.parallel import track
from da_faster.data_conversion.reading import image_size, read_lines
from da_faster.data_conversion.samples import (
    AnyPath,
    Box,
    ConversionError,
    Sample,
    finite,
    from_relative,
)
from da_faster.data_conversion.yolo_layout import read_layout
from da_faster.listing import IMAGE_SUFFIXES, is_hidden

# Rounding may move a number this far below 0 or above 1.
TOLERANCE = 1e-3
# Text files that tools put among the label files.
NO_LABELS = ('classes', 'notes', 'README', 'train', 'val', 'valid', 'test')
BARE = 'images without a label file '


class Task(NamedTuple):
    """An image and its label file; one of the two may be missing."""

    file_name: str
    image: Path
    labels: Path


def label_file(image: Path) -> Path:
    """Returns the path of the label file of an image.

    As in Ultralytics, ``labels`` stands for the last ``images`` of the path.
    Without such a folder, the label file lies beside the image.
    """
    *folders, name = image.parts
    if 'images' in folders:
        at = len(folders) - 1 - folders[::-1].index('images')
        labels = Path(*folders[:at], 'labels')
        if labels.is_dir():
            return Path(labels, *folders[at + 1 :], name).with_suffix('.txt')
    return image.with_suffix('.txt')


def read_box(
    fields: Sequence[str], names: dict[int, str], size: tuple[int, int]
) -> Box:
    """Reads the box of a line.

    Args:
        fields: Number of the class; then centre, width and height of the box,
            or three or more corners of an outline, relative to the image.
        names: Class names by number.
        size: Width and height of the image.

    Raises:
        ValueError: If the line is neither a box nor an outline.
    """
    number = float(fields[0])
    if number not in names:
        raise ValueError(
            f'class {fields[0]}, but the classes are {min(names)} to '
            f'{max(names)}'
        )
    values = finite(*fields[1:])
    if len(values) != 4 and (len(values) < 6 or len(values) % 2):
        raise ValueError(f'{len(fields)} values, not 5')
    if min(values) < -TOLERANCE or max(values) > 1 + TOLERANCE:
        raise ValueError('a number outside 0 to 1')
    if len(values) == 4:
        x, y, width, height = values
        xs = x - width / 2, x + width / 2
        ys = y - height / 2, y + height / 2
    else:
        xs, ys = values[0::2], values[1::2]
    edges = min(xs), min(ys), max(xs), max(ys)
    return Box(names[int(number)], *from_relative(edges, size))


def read_sample(task: Task, names: dict[int, str]) -> Sample:
    """Reads one image; without a label file it has no objects."""
    if not task.image.is_file() and task.labels.is_file():
        raise ConversionError(
            f'{task.labels} has no image {task.image}: complete the download.'
        )
    size = image_size(task.image)
    if not task.labels.is_file():
        return Sample(task.file_name, size)
    lines = read_lines(task.labels, 'complete the download.')
    boxes: list[Box] = []
    notes: Counter = Counter()
    seen = set()
    for at, line in enumerate(lines, 1):
        fields = tuple(line.split())
        if not fields:
            continue
        if fields in seen:
            notes['boxes that a file has twice left out'] += 1
            continue
        seen.add(fields)
        try:
            boxes.append(read_box(fields, names, size))
        except ValueError as error:
            raise ConversionError(
                f'{task.labels} is broken at line {at} ({error}): a line is '
                'CLASS X Y WIDTH HEIGHT, relative to the image; correct it, '
                'or export it again.'
            ) from error
        if len(fields) > 5:
            notes['outlines, written as boxes'] += 1
    return Sample(task.file_name, size, boxes, notes)


def collect(images: Sequence[Path], root: Path) -> list[Task]:
    """Pairs images with their label files.

    Args:
        images: The images of a split.
        root: The folder that file names are relative to.

    Returns:
        The images, and label files without an image.
    """
    tasks = {}
    for image in images:
        name = Path(os.path.relpath(image, root)).as_posix()
        labels = label_file(image)
        if labels in tasks:
            raise ConversionError(
                f'{tasks[labels].image} and {image} have one label file, '
                f'{labels}: take one of the images out.'
            )
        tasks[labels] = Task(name, image, labels)
    return [*tasks.values(), *orphans(tasks)]


def orphans(tasks: dict[Path, Task]) -> Iterator[Task]:
    """Yields label files without an image, in folders of labels alone."""
    pairs = {
        (task.labels.parent, task.image.parent) for task in tasks.values()
    }
    for labels, images in sorted(pairs):
        if labels == images or not images.is_dir():
            continue
        stems = {
            path.stem
            for path in images.iterdir()
            if path.name.lower().endswith(IMAGE_SUFFIXES)
        }
        for path in sorted(labels.glob('*.txt')):
            other = path.stem in NO_LABELS or is_hidden(path.name)
            if not other and path.stem not in stems and path not in tasks:
                image = images / f'{path.stem}.jpg'
                yield Task(image.name, image, path)


def convert(
    root: AnyPath,
    *,
    out: AnyPath | None = None,
    classes: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
    missing_is_empty: bool = False,
    skip_broken: bool = False,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``<split>.json`` for every split.

    File names are relative to the folder of data.yaml. An empty label file
    means an image without objects.

    Args:
        root: A folder with data.yaml (obj.data, classes.txt), or that file.
        out: The folder to write to; default: ``annotations`` in the folder.
        classes: Labels to keep; default: all, in the order of their numbers.
        splits: Splits to convert; default: those of train, val and test that
            data.yaml names.
        missing_is_empty: An image without a label file has no objects. By
            default it is left out and counted, since it may be unlabelled.
        skip_broken: Leave out and count images that cannot be read, or whose
            labels cannot.
        force: Replace earlier files.
        nproc: Number of processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    layout = read_layout(Path(root))
    known = list(dict.fromkeys(layout.names.values()))
    names = class_map(classes) if classes else {name: name for name in known}
    check_labels(layout.path, 'class', names, known)
    out = Path(out or layout.root / 'annotations')
    splits = splits or layout.splits
    check_existing(out, splits, force)

    samples, bare = {}, {}
    for split in splits:
        tasks = collect(layout.images(split), layout.root)
        labelled = [task for task in tasks if task.labels.is_file()]
        bare[split] = len(tasks) - len(labelled)
        if not labelled:
            raise ConversionError(
                f'no image of {split} has a label file, e.g. '
                f'{tasks[0].labels} is missing: complete the download, or '
                f'correct {layout.path}.'
                if tasks
                else f'{split} has no image: correct {layout.path}.'
            )
        samples[split] = track(
            partial(read_sample, names=layout.names),
            tasks if missing_is_empty else labelled,
            nproc,
            skip_broken,
        )
    built = build_splits(samples, names)
    done = 'taken as empty' if missing_is_empty else 'left out'
    for split, count in bare.items():
        if count:
            built[split].notes[BARE + done] = count
    return write_splits(built, out, force)
