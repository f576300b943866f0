"""Converter of two sets of blood smear photographs to one domain pair."""

import hashlib
import shutil
from collections import defaultdict
from pathlib import Path

from da_faster.data_conversion.coco import CocoSplit, build_splits
from da_faster.data_conversion.csv_layout import read_csv_boxes
from da_faster.data_conversion.output import atomic_folder, save_into
from da_faster.data_conversion.parallel import track_splits
from da_faster.data_conversion.reading import image_size, read_lines
from da_faster.data_conversion.samples import (
    AnyPath,
    Box,
    ConversionError,
    Sample,
)
from da_faster.data_conversion.voc_layout import read_voc_boxes

CLASSES = ('RBC', 'WBC')
PLATELETS = 'Platelets'
# Folder of the image copies by split, in the order of the printed table.
FOLDERS = dict(
    source_train='source',
    source_test='source',
    target_train='target/train',
    target_test='target/test',
)

# {photograph of BCCD's trainval: test photograph that shows a part of the same
# field}. All pairs were correlated at all shifts; the common part is 16 % to
# 94 % of the photograph.
SOURCE_OVERLAPS = {
    20: 19, 40: 41, 160: 161, 236: 253, 242: 249, 248: 249, 254: 233,
    258: 229, 260: 227, 261: 226, 262: 225, 264: 225, 276: 205, 386: 391,
    408: 365
}  # fmt: skip
# The target: 60 of the publisher's 100 photographs.
TARGET_NUMBERS = (
    7, 10, 11, 12, 14, 17, 19, 20, 22, 24, 25, 30, 31, 32, 33, 34, 36, 37, 44,
    45, 46, 48, 49, 51, 52, 55, 59, 61, 65, 66, 68, 69, 71, 72, 74, 75, 76, 77,
    79, 80, 81, 82, 83, 86, 87, 89, 91, 93, 96, 99, 101, 102, 103, 104, 108,
    110, 112, 117, 118, 119
)  # fmt: skip
TARGET_TRAIN_SIZE = 30
# Pairs of target photographs that show the same field (by the same search).
TARGET_OVERLAPS = {37: 20, 91: 75, 86: 80, 96: 71, 104: 61, 101: 66}


def target_name(number: int) -> str:
    """Returns the file name of a target photograph."""
    return f'image-{number}.png'


def split_target() -> dict[str, list[str]]:
    """Splits the target, without a look at the labels.

    Photographs go to target_train in the order of the SHA-256 of their file
    names, until there are 30. Two photographs of one field go together, under
    the name of the lower number. The other 30 photographs are target_test.

    Returns:
        {split: file names}.
    """
    groups = defaultdict(list)
    for number in TARGET_NUMBERS:
        groups[TARGET_OVERLAPS.get(number, number)].append(number)
    train: list[int] = []
    for first in sorted(
        groups,
        key=lambda number: hashlib.sha256(
            target_name(number).encode()
        ).digest(),
    ):
        if len(train) < TARGET_TRAIN_SIZE:
            train += groups[first]
    test = set(TARGET_NUMBERS).difference(train)
    return dict(
        target_train=[target_name(number) for number in sorted(train)],
        target_test=[target_name(number) for number in sorted(test)],
    )


def read_image_set(bccd_dir: Path, name: str) -> list[str]:
    """Reads the names, without suffix, of a list of BCCD's photographs."""
    path = bccd_dir / 'ImageSets' / 'Main' / f'{name}.txt'
    advice = (
        'give the folder that holds Annotations, ImageSets and JPEGImages '
        'as BCCD_DIR.'
    )
    names = sorted(filter(None, map(str.strip, read_lines(path, advice))))
    if not names:
        raise ConversionError(f'{path} is empty: {advice}')
    return names


def is_relative(boxes: dict[str, list[Box]]) -> bool:
    """Whether corners are relative to the image.

    Corners are relative if none of the whole file exceeds 2: a corner may lie
    a little outside of its image, and pixels go up to 256.
    """
    corners = [max(box[1:5]) for some in boxes.values() for box in some]
    return max(corners, default=0) <= 2


def read_photograph(job: tuple) -> Sample:
    """Copies a photograph and reads its labels.

    Args:
        job: Path of the photograph, of the copy and of the labels, and the
            boxes if they were read already.
    """
    image, copy, labels, boxes = job
    size = image_size(image)
    if boxes is None:
        boxes = read_voc_boxes(labels, size)
    names = {name.lower(): name for name in (*CLASSES, PLATELETS)}
    for label in {box.label for box in boxes}:
        # Only BCCD labels platelets.
        if str(label).lower() not in names or label == PLATELETS.lower():
            raise ConversionError(
                f'{labels} holds the unknown label {label!r}: correct it to '
                f'one of {", ".join(CLASSES)}, or download the file again.'
            )
    shutil.copyfile(image, copy)
    return Sample(
        image.name,
        size,
        [box._replace(label=names[box.label.lower()]) for box in boxes],
    )


def list_jobs(
    bccd_dir: Path, smear_dir: Path, folder: Path, names: dict[str, list[str]]
) -> dict[str, list[tuple]]:
    """Lists the jobs of :func:`read_photograph`, by split.

    Args:
        bccd_dir, smear_dir: The folders of the publishers.
        folder: The folder of the copies.
        names: The photographs of every split.
    """
    csv_path = smear_dir / 'annotations.csv'
    csv_boxes = read_csv_boxes(
        csv_path,
        'give the folder that holds annotations.csv and images as SMEAR_DIR.',
    )
    relative = is_relative(csv_boxes)
    jobs: dict[str, list[tuple]] = {split: [] for split in FOLDERS}
    for split, path in FOLDERS.items():
        (folder / path).mkdir(parents=True, exist_ok=True)
        for name in names[split]:
            if split.startswith('source'):
                image = bccd_dir / 'JPEGImages' / f'{name}.jpg'
                labels = bccd_dir / 'Annotations' / f'{name}.xml'
                boxes = None
            else:
                image, labels = smear_dir / 'images' / name, csv_path
                if name not in csv_boxes:
                    raise ConversionError(
                        f'{labels} has no box for {name}: '
                        'download the whole file again.'
                    )
                w, h = image_size(image) if relative else (1, 1)
                boxes = tuple(
                    Box(label, x1 * w, y1 * h, x2 * w, y2 * h)
                    for label, x1, y1, x2, y2, *_ in csv_boxes[name]
                )
            jobs[split].append(
                (image, folder / path / image.name, labels, boxes)
            )
    return jobs


def convert(
    bccd_dir: AnyPath,
    smear_dir: AnyPath,
    *,
    out: AnyPath = 'data/blood_smears',
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes copies of the images and four annotation files.

    The files are ``annotations/{source,target}_{train,test}.json``.

    Args:
        bccd_dir: The folder of Annotations, ImageSets and JPEGImages.
        smear_dir: The folder of annotations.csv and images.
        out: The folder to make.
        force: Replace an earlier result.
        nproc: Number of processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    bccd_dir, smear_dir, out = map(Path, (bccd_dir, smear_dir, out))
    overlaps = {f'BloodImage_{number:05d}' for number in SOURCE_OVERLAPS}
    with atomic_folder(
        out, ('annotations', 'source', 'target'), force
    ) as folder:
        train = read_image_set(bccd_dir, 'trainval')
        names = dict(
            source_train=[name for name in train if name not in overlaps],
            source_test=read_image_set(bccd_dir, 'test'),
            **split_target(),
        )
        jobs = list_jobs(bccd_dir, smear_dir, folder, names)
        samples = track_splits(read_photograph, jobs, nproc)
        splits = build_splits(samples, {name: name for name in CLASSES})
        splits['source_train'].notes[
            'photographs with a part of a test photograph left out'
        ] = len(train) - len(names['source_train'])
        return save_into(folder, out, splits)
