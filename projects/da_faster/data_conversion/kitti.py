"""KITTI's object detection benchmark."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from da_faster.data_conversion.coco import (
    AnyPath,
    Box,
    CocoSplit,
    ConversionError,
    Sample,
    build_splits,
    class_map,
    finite,
    image_size,
    read_lines,
    refuse_existing,
    track,
    write_splits,
)

LABELS = (
    'Car',
    'Van',
    'Truck',
    'Pedestrian',
    'Person_sitting',
    'Cyclist',
    'Tram',
    'Misc',
    'DontCare',
)
CLASSES = ('Car=car',)


def read_sample(number: str, root: Path) -> Sample:
    """One image and its label file."""
    image = root / 'image_2' / f'{number}.png'
    path = root / 'label_2' / f'{number}.txt'
    lines = read_lines(path, 'complete the download of label_2.')
    boxes = []
    for at, line in enumerate(lines, 1):
        # type truncated occluded alpha left top right bottom, then 3D.
        fields = line.split()
        if not fields:
            continue
        try:
            if len(fields) < 15:
                raise ValueError(f'{len(fields)} values, not 15')
            if fields[0] not in LABELS:
                raise ValueError(f'unknown class {fields[0]}')
            boxes.append(Box(fields[0], *finite(*fields[4:8])))
        except ValueError as error:
            raise ConversionError(
                f'{path} is broken at line {at} ({error}): '
                'unpack data_object_label_2.zip again.'
            ) from error
    return Sample(image.name, image_size(image), boxes)


def convert(
    root: AnyPath,
    *,
    out: AnyPath | None = None,
    classes: Sequence[str] = CLASSES,
    splits: Sequence[str] | None = None,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``<split>.json`` for every split.

    Args:
        root: Has training/image_2/*.png and training/label_2/*.txt.
        out: Default: ``root/annotations``.
        classes: Default: cars alone.
        splits: Lists of ``root/ImageSets``, without .txt. "trainval" is every
            image where there is no such list. Default: trainval, and train
            and val where their lists exist.
        force: Replace earlier files.
        nproc: Processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    root = Path(root)
    out = Path(out or root / 'annotations')
    names = class_map(classes)
    for label in names:
        if label not in LABELS:
            raise ConversionError(
                f'--classes {label}: KITTI has {", ".join(LABELS)}.'
            )
    training, lists = root / 'training', root / 'ImageSets'
    splits = splits or ['trainval'] + [
        split
        for split in ('train', 'val')
        if (lists / f'{split}.txt').is_file()
    ]
    refuse_existing(out, splits, force)

    everything = sorted(path.stem for path in training.glob('label_2/*.txt'))
    if not everything:
        raise ConversionError(
            f'{training} holds no label_2/*.txt: unpack '
            'data_object_label_2.zip there.'
        )
    numbers = {}
    for split in splits:
        path = lists / f'{split}.txt'
        numbers[split] = everything
        if split != 'trainval' or path.exists():
            numbers[split] = ' '.join(
                read_lines(path, 'name another of --splits.')
            ).split()
    # trainval and its parts share images: each is read once.
    unique = sorted(set(sum(numbers.values(), [])))
    read = track(partial(read_sample, root=training), unique, nproc)
    samples = dict(zip(unique, read))
    return write_splits(
        build_splits(
            {
                split: [samples[number] for number in some]
                for split, some in numbers.items()
            },
            names,
        ),
        out,
        force,
    )
