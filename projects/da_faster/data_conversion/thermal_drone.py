"""Converter of HIT-UAV: thermal images of a drone, by day and at night."""

import re
import shutil
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from da_faster.data_conversion.coco import CocoSplit, build_splits
from da_faster.data_conversion.coco_layout import read_coco
from da_faster.data_conversion.output import atomic_folder
from da_faster.data_conversion.parallel import track
from da_faster.data_conversion.reading import with_image_size
from da_faster.data_conversion.samples import (
    AnyPath,
    Box,
    ConversionError,
    Sample,
)

CLASSES = ('Person', 'Car', 'Bicycle')
# Objects that the annotators could not tell.
UNKNOWN = 'DontCare'
# What the publisher's files say in place of COCO's keys.
KEYS = dict(annotation='annotations', filename='file_name')
# Part of the publisher, and first field of the file names, by split.
SPLITS = dict(
    day=('train', '0'), night=('train', '1'), night_test=('test', '1')
)
FILE_NAME = re.compile(r'([01])_[^/\\]+')


def time_of_day(name: str, labels: Path) -> str:
    """Reads the first field of a file name: 0 is day, 1 is night.

    Args:
        name: The file name of an image.
        labels: The annotation file that has the name.
    """
    fields = FILE_NAME.fullmatch(name)
    if not fields:
        raise ConversionError(
            f'{labels} has the image {name}: its name must begin with 0_ '
            '(day) or 1_ (night), as the publisher names the images.'
        )
    return fields[1]


def ignore_unknown(boxes: Iterable[Box]) -> Iterator[Box]:
    """Yields the boxes, and three for each unknown object.

    COCO ignores a region for one class. An unknown object may be of any
    class, so the object becomes a region to ignore for each class.
    """
    for box in boxes:
        if box.label == UNKNOWN:
            for name in CLASSES:
                yield box._replace(label=name, iscrowd=1)
        else:
            yield box


def copy_image(sample: Sample, images: Path, copies: Path) -> Sample:
    """Copies an image, and returns its checked size and boxes."""
    sample = with_image_size(sample, images)
    shutil.copyfile(images / sample.file_name, copies / sample.file_name)
    unknown = sum(box.label == UNKNOWN for box in sample.boxes)
    notes = {f'{UNKNOWN} boxes, written as iscrowd of each class': unknown}
    return sample._replace(
        boxes=list(ignore_unknown(sample.boxes)),
        notes={**(sample.notes or {}), **(notes if unknown else {})},
    )


def convert(
    root: AnyPath,
    *,
    out: AnyPath = 'data/thermal_drone',
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes copies of the images and three annotation files.

    The files are ``{day,night,night_test}.json``, each beside the folder of
    its images.

    Args:
        root: The publisher's folder ``normal_json``: annotations, train, test.
        out: The folder to make.
        force: Replace an earlier result.
        nproc: Number of processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    root, out = Path(root), Path(out)
    contents = [*SPLITS, *(f'{split}.json' for split in SPLITS)]
    samples: dict[str, list[Sample]] = {}
    with atomic_folder(out, contents, force) as folder:
        parts, lost = {}, {}
        for part in ('train', 'test'):
            labels = root / 'annotations' / f'{part}.json'
            read, _, lost[part] = read_coco(labels, keys=KEYS)
            parts[part] = [
                (time_of_day(sample.file_name, labels), sample)
                for sample in sorted(read, key=lambda s: s.file_name)
            ]
        for split, (part, wanted) in SPLITS.items():
            (folder / split).mkdir()
            samples[split] = track(
                partial(copy_image, images=root / part, copies=folder / split),
                [sample for time, sample in parts[part] if time == wanted],
                nproc,
            )
        built = build_splits(samples, {name: name for name in CLASSES})
        for split, content in built.items():
            # What fits no image of a part is counted once.
            content.notes.update(lost.pop(SPLITS[split][0], {}))
            content.save(folder / f'{split}.json')
    return {out / f'{split}.json': content for split, content in built.items()}
