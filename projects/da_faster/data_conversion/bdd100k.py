"""Converter of BDD100K."""

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
from da_faster.data_conversion.reading import image_size, read_json
from da_faster.data_conversion.samples import (
    AnyPath,
    Box,
    ConversionError,
    Sample,
    finite,
)

# Labels of 2018 and of 2020, in the order of Cityscapes.
CLASSES = (
    'person',
    'rider',
    'car',
    'truck',
    'bus',
    'train',
    'motor=motorcycle',
    'bike=bicycle',
    'pedestrian=person',
    'motorcycle',
    'bicycle',
)
SPLITS = ('train', 'val')
TIMES = ('daytime', 'night', 'dawn/dusk')
FILES = (
    'labels/bdd100k_labels_images_{}.json',
    'labels/det_20/det_{}.json',
    'bdd100k_labels_images_{}.json',
    'det_{}.json',
)


def find_labels(root: Path, split: str) -> Path:
    """Finds the label file of a split."""
    paths = [root / name.format(split) for name in FILES]
    for path in paths:
        if path.is_file():
            return path
    raise ConversionError(
        f'{paths[0]} is missing, and so is {paths[1]}: '
        'unpack the detection labels there.'
    )


def read_frames(path: Path, timeofday: str | None) -> list[dict]:
    """Reads the frames of a label file, in the order of their names.

    Args:
        path: The label file.
        timeofday: Keep only frames of this time.
    """
    frames = read_json(path)
    try:
        frames = sorted(frames, key=lambda frame: frame['name'])
        if timeofday:
            frames = [
                frame
                for frame in frames
                if frame['attributes']['timeofday'] == timeofday
            ]
    except (KeyError, TypeError) as error:
        raise ConversionError(
            f'{path} is not a list of frames with a name and attributes '
            f'({error!r}): give the labels of BDD100K, not a COCO file made '
            'of them.'
        ) from error
    return frames


def read_sample(frame: dict, images: Path, labels: Path) -> Sample:
    """Reads one image.

    Args:
        frame: The frame of the image in the label file.
        images: The folder of the image.
        labels: The label file.
    """
    boxes = []
    try:
        for label in frame.get('labels') or ():
            if label.get('box2d') is None:
                continue
            box = label['box2d']
            boxes.append(
                Box(
                    str(label['category']),
                    *finite(*(box[key] for key in ('x1', 'y1', 'x2', 'y2'))),
                )
            )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConversionError(
            f'{labels} is broken at {frame["name"]} '
            f'({error!r}): unpack the labels again.'
        ) from error
    return Sample(frame['name'], image_size(images / frame['name']), boxes)


def convert(
    root: AnyPath,
    *,
    out: AnyPath | None = None,
    classes: Sequence[str] = CLASSES,
    splits: Sequence[str] = SPLITS,
    timeofday: str | None = None,
    skip_broken: bool = False,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``<split>.json``, or ``<split>_<timeofday>.json``.

    Args:
        root: The folder of images/100k/<split>/*.jpg and of the labels of 2018
            or 2020.
        out: The folder to write to; default: ``root/annotations``.
        classes: Labels to keep; default: the eight classes of Cityscapes.
        splits: Some of ``SPLITS``.
        timeofday: Keep only images of this time, one of ``TIMES``.
        skip_broken: Leave out and count images that cannot be read.
        force: Replace earlier files.
        nproc: Number of processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    root = Path(root)
    out = Path(out or root / 'annotations')
    ending = ''
    if timeofday is not None:
        check_choice(TIMES, timeofday=timeofday)
        ending = f'_{timeofday.replace("/", "_")}'
    names = class_map(classes)
    files = {split: f'{split}{ending}' for split in splits}
    check_existing(out, files.values(), force)

    samples = {}
    for split, name in files.items():
        labels = find_labels(root, split)
        read = partial(
            read_sample, images=root / 'images/100k' / split, labels=labels
        )
        samples[name] = track(
            read, read_frames(labels, timeofday), nproc, skip_broken
        )
    return write_splits(build_splits(samples, names), out, force)
