"""Datasets in the layout of PASCAL VOC."""

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from da_faster.data_conversion.coco import (
    CORNERS,
    IMAGE_SUFFIXES,
    AnyPath,
    Box,
    CocoSplit,
    ConversionError,
    Sample,
    build_splits,
    check_choice,
    class_map,
    finite,
    image_size,
    read_lines,
    refuse_existing,
    track,
    write_splits,
)
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
SPLITS = ('train', 'val', 'trainval', 'test')


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
        size: Width and height of its image; the file must agree, but for
            the zeros that some tools write.
        first_pixel: The number of the first pixel, 1 as in VOC, or 0: then
            xmax is the edge, not the last pixel.
        image: The image file, to say why they disagree.
    """
    try:
        root = ElementTree.parse(path).getroot()
        stated = tuple(
            int(root.findtext(f'size/{key}')) for key in ('width', 'height')
        )
        boxes = []
        for item in root.iter('object'):
            x1, y1, x2, y2 = finite(
                *(item.findtext(f'bndbox/{key}') for key in CORNERS)
            )
            difficult = int(item.findtext('difficult') or 0)
            boxes.append(
                Box(
                    item.findtext('name'),
                    x1 - first_pixel * (x2 > x1),
                    y1 - first_pixel * (y2 > y1),
                    x2,
                    y2,
                    iscrowd=int(difficult > 0),
                )
            )
    except FileNotFoundError:
        raise ConversionError(
            f'{path} is missing: complete the download of the dataset.'
        ) from None
    except (ElementTree.ParseError, TypeError, ValueError) as error:
        raise ConversionError(
            f'{path} is not a whole VOC annotation '
            f'({error}): download it again.'
        ) from error
    if stated not in (size, (0, 0)):
        mend = 'download both again'
        if image is not None:
            mend = mend_size(image, size, stated, mend)
        raise ConversionError(
            f'{path} is for an image of {stated}, but the '
            f'image has {size}: {mend}.'
        )
    return boxes


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


def split_names(root: Path, wanted: Sequence[str] | None) -> list[str]:
    """The splits to write: ``wanted``, or those that VOC's layout has."""
    folder = root / 'ImageSets' / 'Main'
    if wanted is None:
        wanted = [s for s in SPLITS if (folder / f'{s}.txt').is_file()]
    return list(wanted) or ['all']


def collect(root: Path, split: str, base: Path) -> list[tuple]:
    """Tasks of :func:`read_sample` for one split of one folder.

    "all" is every xml file of the folder, in the order of their names, where
    there is no list of that name.
    """
    if not root.is_dir():
        raise ConversionError(f'{root} is not a folder: check the path.')
    labels, images = (
        root / sub if (root / sub).is_dir() else root
        for sub in ('Annotations', 'JPEGImages')
    )
    listing = root / 'ImageSets' / 'Main' / f'{split}.txt'
    if split == 'all' and not listing.exists():
        stems = sorted(path.stem for path in labels.glob('*.xml'))
    else:
        lines = read_lines(
            listing, 'name another of --splits, or leave the option out.'
        )
        # The lists of a class have a column that says whether it is there.
        stems = [line.split()[0] for line in lines if line.strip()]
    if not stems:
        raise ConversionError(
            f'{root} has no image in {split}: it must hold '
            'Annotations/*.xml and JPEGImages.'
        )
    files = {
        path.stem: path
        for path in sorted(images.iterdir())
        if path.suffix.lower() in IMAGE_SUFFIXES
    }
    tasks = []
    for stem in stems:
        image = files.get(stem, images / f'{stem}.jpg')
        tasks.append(
            (image.relative_to(base).as_posix(), image, labels / f'{stem}.xml')
        )
    return tasks


def convert(
    root: AnyPath,
    *more: AnyPath,
    out: AnyPath | None = None,
    classes: Sequence[str] = CLASSES,
    splits: Sequence[str] | None = None,
    first_pixel: int = 1,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``<split>.json`` for every split.

    Args:
        root: Has Annotations/*.xml, JPEGImages and ImageSets/Main/*.txt, or
            the xml files beside the images.
        more: Folders that go into the same files. File names are then
            relative to the common parent of all.
        out: Default: ``annotations`` in ``root`` or in the common parent.
        classes: Default: the 20 classes of PASCAL VOC.
        splits: Lists of ImageSets/Main, without .txt. Default: those of
            ``SPLITS`` that ``root`` has; where it has none, the split "all".
        first_pixel: Number of the first pixel in the xml files, 0 or 1.
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
    splits = split_names(roots[0], splits)
    refuse_existing(out, splits, force)

    tasks: dict[str, list] = {
        split: sum((collect(path, split, base) for path in roots), [])
        for split in splits
    }
    # trainval and its parts share images: each is read once.
    unique = list(dict.fromkeys(sum(tasks.values(), [])))
    read = track(partial(read_sample, first_pixel=first_pixel), unique, nproc)
    samples = dict(zip(unique, read))
    return write_splits(
        build_splits(
            {
                split: [samples[task] for task in some]
                for split, some in tasks.items()
            },
            names,
        ),
        out,
        force,
    )
