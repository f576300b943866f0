"""Converter of KITTI, and of labels in KITTI's format."""

from collections.abc import Sequence
from pathlib import Path

from da_faster.data_conversion.arguments import check_existing, class_map
from da_faster.data_conversion.coco import CocoSplit, build_splits
from da_faster.data_conversion.output import write_splits
from da_faster.data_conversion.parallel import track_splits
from da_faster.data_conversion.reading import image_size, read_lines
from da_faster.data_conversion.samples import (
    AnyPath,
    Box,
    ConversionError,
    Sample,
    finite,
)
from da_faster.listing import IMAGE_SUFFIXES, list_files

CLASSES = ('Car=car',)
# Folders of the benchmark, of a part of it, and of tools with its format.
LAYOUTS = (
    ('training/image_2', 'training/label_2'),
    ('image_2', 'label_2'),
    ('images', 'labels'),
)


def find_folders(root: Path) -> tuple[Path, Path]:
    """Finds the folders of the images and of the labels."""
    for images, labels in LAYOUTS:
        if list_files(root / labels, ['.txt']):
            return root / images, root / labels
    raise ConversionError(
        f'{root / "training"} holds no label_2/*.txt: unpack '
        'data_object_label_2.zip there; labels of your own in that format go '
        f'to {root / "labels"}, with their images in {root / "images"}.'
    )


def by_name(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """Finds the files below a folder, by path in it without suffix."""
    found: dict[str, Path] = {}
    for path in list_files(folder, suffixes):
        name = path.relative_to(folder).with_suffix('').as_posix()
        if name in found:
            raise ConversionError(
                f'{found[name]} and {path} have the same name: take one of '
                'them out of the folder.'
            )
        found[name] = path
    return found


def read_sample(task: tuple[str, Path, Path]) -> Sample:
    """Reads one image.

    Args:
        task: File name in the result, path of the image, label file.
    """
    name, image, labels = task
    lines = read_lines(labels, 'complete the download of the labels.')
    boxes = []
    for at, line in enumerate(lines, 1):
        # type truncated occluded alpha left top right bottom, then 3D.
        fields = line.split()
        if not fields:
            continue
        try:
            if len(fields) < 15:
                raise ValueError(f'{len(fields)} values, not 15')
            finite(*fields[1:4])  # a label of two words would shift them
            boxes.append(Box(fields[0], *finite(*fields[4:8])))
        except ValueError as error:
            raise ConversionError(
                f'{labels} is broken at line {at} ({error}): correct it, or '
                'unpack the labels again.'
            ) from error
    return Sample(name, image_size(image), boxes)


def convert(
    root: AnyPath,
    *,
    out: AnyPath | None = None,
    classes: Sequence[str] = CLASSES,
    splits: Sequence[str] | None = None,
    skip_broken: bool = False,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``<split>.json`` for every split.

    Args:
        root: The folder of training/image_2/*.png and training/label_2/*.txt,
            or of another of ``LAYOUTS``.
        out: The folder to write to; default: ``root/annotations``.
        classes: Labels to keep; default: cars alone.
        splits: Lists of ``root/ImageSets``, without .txt. "trainval" is every
            image if there is no list of that name. Default: trainval, and
            train and val if their lists exist.
        skip_broken: Leave out and count images that cannot be read, or whose
            labels cannot.
        force: Replace earlier files.
        nproc: Number of processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    root = Path(root)
    out = Path(out or root / 'annotations')
    names = class_map(classes)
    lists = root / 'ImageSets'
    splits = splits or ['trainval'] + [
        split
        for split in ('train', 'val')
        if (lists / f'{split}.txt').is_file()
    ]
    check_existing(out, splits, force)

    folder, label_folder = find_folders(root)
    labels = by_name(label_folder, ['.txt'])
    images = by_name(folder, IMAGE_SUFFIXES)
    numbers = {}
    for split in splits:
        path = lists / f'{split}.txt'
        numbers[split] = list(labels)
        if split != 'trainval' or path.exists():
            numbers[split] = ' '.join(
                read_lines(path, 'name another of --splits.')
            ).split()

    def task(number: str) -> tuple[str, Path, Path]:
        image = images.get(number, folder / f'{number}.png')
        return (
            image.relative_to(folder).as_posix(),
            image,
            labels.get(number, label_folder / f'{number}.txt'),
        )

    tasks = {split: list(map(task, some)) for split, some in numbers.items()}
    samples = track_splits(read_sample, tasks, nproc, skip_broken)
    built = build_splits(samples, names)
    bare = len(set(images).difference(labels))
    for split in splits:
        if bare and not (lists / f'{split}.txt').exists():
            built[split].notes['images without a label file left out'] = bare
    return write_splits(built, out, force)
