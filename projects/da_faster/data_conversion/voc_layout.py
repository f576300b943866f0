"""The content of a folder in the layout of PASCAL VOC."""

import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from da_faster.data_conversion.reading import read_lines
from da_faster.data_conversion.samples import (
    CORNERS,
    Box,
    ConversionError,
    finite,
)
from da_faster.image_files import advice_on_size
from da_faster.listing import IMAGE_SUFFIXES, list_files

SPLITS = ('train', 'val', 'valid', 'trainval', 'test')
# The paths of an image and of its xml file differ only in these folders.
FOLDERS = {
    'annotation', 'annotations', 'xml', 'xmls', 'label', 'labels',
    'image', 'images', 'img', 'imgs', 'jpegimages', 'pngimages'
}  # fmt: skip


def read_voc_boxes(
    path: Path,
    size: tuple[int, int],
    first_pixel: int = 1,
    image: Path | None = None,
) -> list[Box]:
    """Reads all boxes of an xml file.

    A box whose corners coincide, as after a click that slipped, stays without
    extent, although VOC would count it as one pixel.

    Args:
        path: The xml file.
        size: Width and height of the image. The file must state the same size,
            or none, or zeros.
        first_pixel: Number of the first pixel, 1 as in VOC, or 0. With 0, xmax
            is the right edge, not the last pixel.
        image: The image file, to explain another size.

    Raises:
        ConversionError: If the file is missing or broken, or states another
            size.
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
        advice = 'download both again'
        if image is not None:
            advice = advice_on_size(image, size, stated, advice)
        raise ConversionError(
            f'{path} is for an image of {stated[0]:g}x{stated[1]:g}, but the '
            f'image has {size[0]}x{size[1]}: {advice}.'
        )
    return boxes


def read_object(item: ElementTree.Element, at: int, first_pixel: int) -> Box:
    """Reads one labelled object.

    Args:
        item: The element of the object.
        at: Number of the object in the file.
        first_pixel: Number of the first pixel.

    Raises:
        ValueError: If the label or a corner is missing or broken.
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


def by_name(files: Iterable[Path], root: Path) -> dict[str, list[Path]]:
    """Groups files by path below ``root``, without suffix and ``FOLDERS``."""
    found = defaultdict(list)
    for path in files:
        *folders, _ = path.relative_to(root).parts
        kept = [part for part in folders if part.lower() not in FOLDERS]
        found['/'.join([*kept, path.stem])].append(path)
    return found


def listed_name(line: str, labels: dict[str, list[Path]]) -> str:
    """Returns the name of the image in a line of ImageSets/Main.

    A list of one class has a second column. CVAT puts a name with spaces into
    quotation marks.

    Args:
        line: The line.
        labels: Xml files by name of the image.
    """
    line = line.strip()
    if line.startswith('"'):
        return line[1:].partition('"')[0]
    name = line if line in labels else line.split()[0]
    is_file = name.lower().endswith(IMAGE_SUFFIXES)
    return name.rpartition('.')[0] if is_file else name


class VocFolder:
    """A folder with xml files and images, in one of the usual layouts.

    The layouts are Annotations/ with JPEGImages/ as in VOC, annotations/ with
    images/ as in many sets on Kaggle, and all files in one folder; each of
    these also in subfolders.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise ConversionError(f'{root} is not a folder: check the path.')
        self.root = root
        self.lists = root / 'ImageSets' / 'Main'
        inside = sorted(root.glob('*/ImageSets/Main'))
        if inside and not self.lists.is_dir():
            raise ConversionError(
                f'{root} has no ImageSets/Main, but {inside[0]} is there: '
                f'give {inside[0].parents[1]}.'
            )
        self.labels = by_name(list_files(root, ['.xml']), root)
        self.images = by_name(list_files(root, IMAGE_SUFFIXES), root)

    def splits(self) -> list[str]:
        """Returns the names of the splits.

        These are the usual splits that have a list, else all lists; without
        any list, the usual subfolders, else "all".
        """
        lists = sorted(path.stem for path in list_files(self.lists, ['.txt']))
        # car_train is the list of a class, beside the list train.
        own = [
            name
            for name in lists
            if not any(name.endswith(f'_{other}') for other in lists)
        ]
        tops = {name.split('/')[0] for name in self.labels if '/' in name}
        return (
            [name for name in SPLITS if name in own]
            or own
            or [name for name in SPLITS if name in tops]
            or ['all']
        )

    def names(self, split: str) -> list[str]:
        """Returns the names of the images of a split, in their order."""
        listing = self.lists / f'{split}.txt'
        below = [n for n in sorted(self.labels) if n.startswith(f'{split}/')]
        if listing.exists() or split != 'all' and not below:
            lines = read_lines(
                listing, 'name another of --splits, or leave the option out.'
            )
            names = [
                listed_name(line, self.labels)
                for line in lines
                if line.strip()
            ]
        else:
            names = sorted(self.labels) if split == 'all' else below
        if not names:
            raise ConversionError(
                f'{self.root} has no image in {split}: it must hold '
                'Annotations/*.xml and JPEGImages, or the xml files beside '
                'the images.'
            )
        return names

    def file(self, name: str, files: dict, folder: str, suffix: str) -> Path:
        """Returns the one file of a name, or the path where it should be."""
        found = files.get(name, ())
        if len(found) > 1:
            raise ConversionError(
                f'{found[0]} and {found[1]} have the same name: take one of '
                'them out of the folder.'
            )
        parent = self.root / folder
        parent = parent if parent.is_dir() else self.root
        return found[0] if found else parent / f'{name}{suffix}'

    def tasks(self, split: str, base: Path) -> list[tuple]:
        """Returns the images of a split.

        Args:
            split: Name of the split.
            base: The folder that file names are relative to.

        Returns:
            File name, path of the image and xml file of each image.
        """
        tasks = []
        for name in self.names(split):
            image = self.file(name, self.images, 'JPEGImages', '.jpg')
            labels = self.file(name, self.labels, 'Annotations', '.xml')
            tasks.append((image.relative_to(base).as_posix(), image, labels))
        return tasks

    def count_bare(self, tasks: list[tuple]) -> int:
        """Counts images without an xml file beside images that have one.

        Call this only without a list: a list leaves images out on purpose.
        """
        folders = {image.parent for _, image, _ in tasks}
        return sum(
            path.parent in folders and name not in self.labels
            for name, paths in self.images.items()
            for path in paths
        )
