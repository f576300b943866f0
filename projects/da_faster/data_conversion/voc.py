"""Datasets in the layout of PASCAL VOC."""

import os
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from da_faster.data_conversion.arguments import (
    check_choice,
    check_existing,
    class_map,
)
from da_faster.data_conversion.coco import CocoSplit, build_splits
from da_faster.data_conversion.output import write_splits
from da_faster.data_conversion.parallel import track
from da_faster.data_conversion.reading import image_size
from da_faster.data_conversion.samples import (
    CORNERS,
    AnyPath,
    Box,
    ConversionError,
    Sample,
    finite,
)
from da_faster.data_conversion.voc_layout import VocFolder
from da_faster.image_files import mend_size

CLASSES = (
    'aeroplane',
    'bicycle',
    'bird',
    'boat',
    'bottle',
    'bus',
    'car',
    'cat',
    'chair',
    'cow',
    'diningtable',
    'dog',
    'horse',
    'motorbike',
    'person',
    'pottedplant',
    'sheep',
    'sofa',
    'train',
    'tvmonitor',
)


def read_voc_boxes(
    path: Path,
    size: tuple[int, int],
    first_pixel: int = 1,
    image: Path | None = None,
) -> list[Box]:
    """All boxes of a VOC file.

    A corner pair without extent, which datasets have where a click slipped,
    keeps none although VOC would count it as one pixel.

    Args:
        path: The xml file.
        size: Width and height of its image; the file must agree where it says
            one. Some tools write none, or zeros.
        first_pixel: The number of the first pixel, 1 as in VOC, or 0: then
            xmax is the edge, not the last pixel.
        image: The image file, to say why they disagree.
    """
    try:
        root = ElementTree.parse(path).getroot()
        stated = tuple(
            float(root.findtext(f'size/{key}') or 0)
            for key in ('width', 'height')
        )
        boxes = [
            read_object(item, at, first_pixel)
            for at, item in enumerate(root.iter('object'), 1)
        ]
    except FileNotFoundError:
        raise ConversionError(
            f'{path} is missing: complete the download of the dataset.'
        ) from None
    except (ElementTree.ParseError, OSError, ValueError) as error:
        raise ConversionError(
            f'{path} is not a whole VOC annotation '
            f'({error}): correct it, or download it again.'
        ) from error
    if any(said not in (0, known) for said, known in zip(stated, size)):
        mend = 'download both again'
        if image is not None:
            mend = mend_size(image, size, stated, mend)
        raise ConversionError(
            f'{path} is for an image of {stated[0]:g}x{stated[1]:g}, but the '
            f'image has {size[0]}x{size[1]}: {mend}.'
        )
    return boxes


def read_object(item: ElementTree.Element, at: int, first_pixel: int) -> Box:
    """One labelled object; ``at`` is its number in the file.

    Raises:
        ValueError: If it lacks something.
    """
    label = (item.findtext('name') or '').strip()
    corners = [item.findtext(f'bndbox/{key}') for key in CORNERS]
    if not label or None in corners:
        lacking = 'bndbox with four corners' if label else 'name'
        raise ValueError(f'object {at} has no {lacking}')
    try:
        x1, y1, x2, y2 = finite(*corners)
        difficult = float(item.findtext('difficult') or 0)
    except ValueError as error:
        raise ValueError(f'object {at}: {error}') from error
    return Box(
        label,
        x1 - first_pixel * (x2 > x1),
        y1 - first_pixel * (y2 > y1),
        x2,
        y2,
        iscrowd=int(difficult > 0),
    )


def read_sample(task: tuple[str, Path, Path], first_pixel: int) -> Sample:
    """One image: its file name in the result, its path and its xml file."""
    file_name, image, labels = task
    size = image_size(image)
    boxes = read_voc_boxes(labels, size, first_pixel, image)
    notes = {
        'boxes marked difficult, written as iscrowd': sum(
            box.iscrowd for box in boxes
        ),
    }
    if first_pixel:
        notes[
            'boxes with a corner of 0, below the first pixel: '
            'try --first-pixel 0'
        ] = sum(0 in (box.x1 + 1, box.y1 + 1) for box in boxes)
    return Sample(
        file_name, size, boxes, {reason: n for reason, n in notes.items() if n}
    )


def convert(
    root: AnyPath,
    *more: AnyPath,
    out: AnyPath | None = None,
    classes: Sequence[str] = CLASSES,
    splits: Sequence[str] | None = None,
    first_pixel: int = 1,
    skip_broken: bool = False,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``<split>.json`` for every split.

    Args:
        root: Has Annotations/*.xml, JPEGImages and ImageSets/Main/*.txt, or
            another layout of :class:`VocFolder`.
        more: Folders that go into the same files. File names are then
            relative to the common parent of all.
        out: Default: ``annotations`` in ``root`` or in the common parent.
        classes: Default: the 20 classes of PASCAL VOC.
        splits: Lists of ImageSets/Main, without .txt, or subfolders. Default:
            :meth:`VocFolder.splits`.
        first_pixel: Number of the first pixel in the xml files, 0 or 1.
        skip_broken: Leave out images that cannot be read, or whose xml file
            cannot, and count them.
        force: Replace earlier files.
        nproc: Processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    check_choice((0, 1), first_pixel=first_pixel)
    names = class_map(classes)
    base = Path(root)
    roots = [base]
    if more:
        roots = [Path(path).resolve() for path in (root, *more)]
        base = Path(os.path.commonpath(roots))
    out = Path(out or base / 'annotations')
    folders = [VocFolder(path) for path in roots]
    splits = splits or folders[0].splits()
    check_existing(out, splits, force)

    tasks: dict[str, list] = {}
    bare: Counter = Counter()
    for split in splits:
        parts = [folder.tasks(split, base) for folder in folders]
        tasks[split] = sum(parts, [])
        for folder, part in zip(folders, parts):
            if not (folder.lists / f'{split}.txt').exists():
                bare[split] += folder.count_bare(part)
    # trainval and its parts share images: each is read once.
    unique = list(dict.fromkeys(sum(tasks.values(), [])))
    read = track(
        partial(read_sample, first_pixel=first_pixel),
        unique,
        nproc,
        skip_broken,
    )
    samples = dict(zip(unique, read))
    built = build_splits(
        {
            split: [samples[task] for task in some]
            for split, some in tasks.items()
        },
        names,
    )
    for split, count in (+bare).items():
        built[split].notes['images without an xml file left out'] = count
    return write_splits(built, out, force)
