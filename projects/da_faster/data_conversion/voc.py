"""Converter of PASCAL VOC, and of datasets in its layout."""

import os
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
from da_faster.data_conversion.parallel import track_splits
from da_faster.data_conversion.reading import image_size
from da_faster.data_conversion.samples import (
    AnyPath,
    Sample,
)
from da_faster.data_conversion.voc_layout import VocFolder, read_voc_boxes

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


def read_sample(task: tuple[str, Path, Path], first_pixel: int) -> Sample:
    """Reads one image.

    Args:
        task: File name in the result, path of the image, xml file.
        first_pixel: Number of the first pixel in the xml file, 0 or 1.
    """
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
        root: The folder of Annotations/*.xml, JPEGImages and
            ImageSets/Main/*.txt, or one with another layout of
            :class:`VocFolder`.
        more: Folders that go into the same annotation files. File names are
            then relative to the common parent of all folders.
        out: The folder to write to; default: ``annotations`` in ``root`` or in
            the common parent.
        classes: Labels to keep; default: the 20 classes of PASCAL VOC.
        splits: Lists of ImageSets/Main, without .txt, or subfolders. Default:
            :meth:`VocFolder.splits`.
        first_pixel: Number of the first pixel in the xml files, 0 or 1.
        skip_broken: Leave out and count images that cannot be read, or whose
            xml file cannot.
        force: Replace earlier files.
        nproc: Number of processes; default: one per core.

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
    samples = track_splits(
        partial(read_sample, first_pixel=first_pixel),
        tasks,
        nproc,
        skip_broken,
    )
    built = build_splits(samples, names)
    for split, count in (+bare).items():
        built[split].notes['images without an xml file left out'] = count
    return write_splits(built, out, force)
