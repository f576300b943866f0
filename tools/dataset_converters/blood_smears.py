"""Converts two sets of blood smear photographs to one domain adaptation pair.

The source, BCCD, and the target, the blood cell detection dataset of Ankara
Yildirim Beyazit University, were photographed and stained in different
laboratories.  Both label red (RBC) and white (WBC) blood cells; BCCD's
platelets have no counterpart and are left out.

    python tools/dataset_converters/blood_smears.py BCCD_DIR SMEAR_DIR

BCCD_DIR is the folder ``BCCD`` of github.com/Shenggan/BCCD_Dataset, SMEAR_DIR
a checkout of github.com/draaslan/blood-cell-detection-dataset or another copy
of it whose annotations.csv gives the corners relative to the image's size.

source_train is BCCD's own trainval without the photographs that show a part of
a test photograph's field, source_test is its own test.  The target's split is
explained at ``split_target``.  BCCD's corners count pixels from 1 and include
the last one, so a box reaches from xmin - 1 to xmax.
"""
import argparse
import csv
import hashlib
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from common import (CocoSplit, ConversionError, atomic_folder, image_size,
                    summary)
from mmengine.utils import track_iter_progress

CLASSES = ('RBC', 'WBC')
PLATELETS = 'Platelets'
CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')
# Split, folder for the image copies, in the order of the printed table.
FOLDERS = dict(
    source_train='source',
    source_test='source',
    target_train='target/train',
    target_test='target/test')

# Numbers of BCCD's trainval photographs whose field overlaps that of the test
# photograph named behind them (found by correlating all pairs at all shifts;
# the common part is 16 % to 94 % of the photograph).
SOURCE_OVERLAPS = {
    20: 19, 40: 41, 160: 161, 236: 253, 242: 249, 248: 249, 254: 233,
    258: 229, 260: 227, 261: 226, 262: 225, 264: 225, 276: 205, 386: 391,
    408: 365
}  # yapf: disable
# The 60 photographs the target is made of, out of the publisher's 100.
TARGET_NUMBERS = (7, 10, 11, 12, 14, 17, 19, 20, 22, 24, 25, 30, 31, 32, 33,
                  34, 36, 37, 44, 45, 46, 48, 49, 51, 52, 55, 59, 61, 65, 66,
                  68, 69, 71, 72, 74, 75, 76, 77, 79, 80, 81, 82, 83, 86, 87,
                  89, 91, 93, 96, 99, 101, 102, 103, 104, 108, 110, 112, 117,
                  118, 119)
TARGET_TRAIN_SIZE = 30
# Pairs of them that show the same field shifted (by the same search).
TARGET_OVERLAPS = {37: 20, 91: 75, 86: 80, 96: 71, 104: 61, 101: 66}

Box = Tuple[str, float, float, float, float]


def target_name(number: int) -> str:
    """File name of a target photograph."""
    return f'image-{number}.png'


def split_target() -> Dict[str, List[str]]:
    """The fixed split of the target; it never looks at a label.

    Photographs are taken in the order of the SHA-256 of their file names, a
    pair with a common field together under its lower number, until 30 are in
    target_train; the other 30 are target_test.
    """
    groups = defaultdict(list)
    for number in TARGET_NUMBERS:
        groups[TARGET_OVERLAPS.get(number, number)].append(number)
    train: List[int] = []
    for first in sorted(groups, key=lambda number: hashlib.sha256(
            target_name(number).encode()).digest()):  # yapf: disable
        if len(train) < TARGET_TRAIN_SIZE:
            train += groups[first]
    test = set(TARGET_NUMBERS).difference(train)
    return dict(
        target_train=[target_name(number) for number in sorted(train)],
        target_test=[target_name(number) for number in sorted(test)])


def read_image_set(bccd_dir: Path, name: str) -> List[str]:
    """Photograph names, without extension, of one of BCCD's own sets."""
    path = bccd_dir / 'ImageSets' / 'Main' / f'{name}.txt'
    names = path.read_text(encoding='utf-8').split() if path.exists() else []
    if not names:
        raise ConversionError(
            f'{path} is missing or empty: give the folder that holds '
            'Annotations, ImageSets and JPEGImages as BCCD_DIR.')
    return sorted(names)


def read_voc_boxes(path: Path, size: Tuple[int, int]) -> List[Box]:
    """All boxes of a VOC file, platelets too; its <filename> is not used.

    A corner pair without extent, which BCCD has where a click slipped, keeps
    none although VOC would count it as one pixel.
    """
    try:
        root = ElementTree.parse(path).getroot()
        stated = tuple(
            int(root.findtext(f'size/{key}')) for key in ('width', 'height'))
        boxes = []
        for item in root.iter('object'):
            x1, y1, x2, y2 = (
                float(item.findtext(f'bndbox/{key}')) for key in CORNERS)
            boxes.append((item.findtext('name'), x1 - (x2 > x1),
                          y1 - (y2 > y1), x2, y2))
    except FileNotFoundError:
        raise ConversionError(
            f'{path} is missing: complete the download of BCCD.')
    except (ElementTree.ParseError, TypeError, ValueError) as error:
        raise ConversionError(f'{path} is not a whole VOC annotation '
                              f'({error}): download it again.')
    if stated != size:
        raise ConversionError(f'{path} is for an image of {stated}, but the '
                              f'image has {size}: download both again.')
    return boxes


def read_csv_boxes(path: Path) -> Tuple[Dict[str, List[Box]], bool]:
    """Boxes by file name, and whether corners are relative to the image.

    They are when no corner of the whole file exceeds 2: a corner may lie a
    little outside of its image, but pixels go up to 256.
    """
    boxes = defaultdict(list)
    line = 1
    try:
        with open(path, newline='', encoding='utf-8-sig') as file:
            reader = csv.DictReader(file, strict=True)
            for row in reader:
                line = reader.line_num
                corners = [float(row[key]) for key in CORNERS]
                boxes[row['image']].append((row['label'], *corners))
    except FileNotFoundError:
        raise ConversionError(f'{path} is missing: give the folder that holds '
                              'annotations.csv and images as SMEAR_DIR.')
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ConversionError(f'{path} is broken at line {line} '
                              f'({error!r}): download it again.')
    largest = max((max(box[1:]) for some in boxes.values() for box in some),
                  default=0)
    return boxes, largest <= 2


def add_boxes(split: CocoSplit, boxes: Sequence[Box], path: Path) -> None:
    """Adds the boxes that ``path`` gave for the last image of ``split``."""
    names = {name.lower(): name for name in CLASSES}
    for label, *corners in boxes:
        if label == PLATELETS:
            split.notes[f'{PLATELETS} boxes left out'] += 1
            continue
        if str(label).lower() not in names:
            raise ConversionError(
                f'{path} holds the unknown label {label!r}: correct it to one '
                f'of {", ".join(CLASSES)}, or download the file again.')
        try:
            split.add_box(names[label.lower()], *corners)
        except ValueError as error:
            raise ConversionError(
                f'{path} is broken ({error}): download it again.')


def convert(bccd_dir: Path, smear_dir: Path,
            folder: Path) -> Dict[str, CocoSplit]:
    """Writes image copies and annotation files of both domains."""
    splits = {name: CocoSplit(CLASSES) for name in FOLDERS}
    overlaps = {f'BloodImage_{number:05d}' for number in SOURCE_OVERLAPS}
    train = read_image_set(bccd_dir, 'trainval')
    names = dict(
        source_train=[name for name in train if name not in overlaps],
        source_test=read_image_set(bccd_dir, 'test'),
        **split_target())
    csv_path = smear_dir / 'annotations.csv'
    csv_boxes, relative = read_csv_boxes(csv_path)
    splits['source_train'].notes[
        'photographs with a part of a test photograph left out'] = (
            len(train) - len(names['source_train']))

    jobs = [(split, name) for split in splits for name in names[split]]
    for split_name, name in track_iter_progress(jobs, file=sys.stdout):
        split = splits[split_name]
        if split_name.startswith('source'):
            image = bccd_dir / 'JPEGImages' / f'{name}.jpg'
            labels = bccd_dir / 'Annotations' / f'{name}.xml'
            size = image_size(image)
            boxes = read_voc_boxes(labels, size)
        else:
            image, labels = smear_dir / 'images' / name, csv_path
            size = image_size(image)
            if name not in csv_boxes:
                raise ConversionError(f'{labels} has no box for {name}: '
                                      'download the whole file again.')
            w, h = size if relative else (1, 1)
            boxes = [(label, x1 * w, y1 * h, x2 * w, y2 * h)
                     for label, x1, y1, x2, y2 in csv_boxes[name]]
        split.add_image(image.name, *size)
        add_boxes(split, boxes, labels)
        copies = folder / FOLDERS[split_name]
        copies.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(image, copies / image.name)
    print()
    for name, split in splits.items():
        split.save(folder / 'annotations' / f'{name}.json')
    return splits


def main(argv: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    add = parser.add_argument
    add('bccd_dir', type=Path, help='has Annotations, ImageSets, JPEGImages')
    add('smear_dir', type=Path, help='has annotations.csv and images')
    add('--out', type=Path, default=Path('data/blood_smears'))
    add('--force', action='store_true', help='replace an earlier result')
    args = parser.parse_args(argv)
    with atomic_folder(args.out, ('annotations', 'source', 'target'),
                       args.force) as folder:
        splits = convert(args.bccd_dir, args.smear_dir, folder)
    print(summary(splits, args.out / 'annotations'))


if __name__ == '__main__':
    main()
