"""Which xml file is of which image, and which split they are in."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from da_faster.data_conversion.reading import read_lines
from da_faster.data_conversion.samples import ConversionError
from da_faster.listing import IMAGE_SUFFIXES, list_files

SPLITS = ('train', 'val', 'valid', 'trainval', 'test')
# An image and its xml file have the same path but for these folders.
FOLDERS = {
    'annotation', 'annotations', 'xml', 'xmls', 'label', 'labels',
    'image', 'images', 'img', 'imgs', 'jpegimages', 'pngimages'
}  # fmt: skip


def by_name(files: Iterable[Path], root: Path) -> dict[str, list[Path]]:
    """Files by their path below ``root`` without suffix and ``FOLDERS``."""
    found = defaultdict(list)
    for path in files:
        *folders, _ = path.relative_to(root).parts
        kept = [part for part in folders if part.lower() not in FOLDERS]
        found['/'.join([*kept, path.stem])].append(path)
    return found


def listed_name(line: str, labels: dict[str, list[Path]]) -> str:
    """The image that a line of ImageSets/Main names.

    The lists of a class have a second column; CVAT quotes a name with spaces.
    """
    line = line.strip()
    if line.startswith('"'):
        return line[1:].partition('"')[0]
    name = line if line in labels else line.split()[0]
    is_file = name.lower().endswith(IMAGE_SUFFIXES)
    return name.rpartition('.')[0] if is_file else name


class VocFolder:
    """A folder with xml files and images, in any of the usual layouts.

    Annotations/ with JPEGImages/, as VOC has it, annotations/ with images/,
    as many sets on Kaggle, or all in one folder; each also in subfolders.
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
        """The usual splits that it has a list of, or else every list.

        Where there is none, its usual subfolders, or "all".
        """
        lists = sorted(path.stem for path in list_files(self.lists, ['.txt']))
        # A list named after a class goes with another one: car_train.
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
        """Names of the images of a split, in the order of their list."""
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
        """The one file of that name, or where it should be."""
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
        """Those of :func:`read_sample`; file names count from ``base``."""
        tasks = []
        for name in self.names(split):
            image = self.file(name, self.images, 'JPEGImages', '.jpg')
            labels = self.file(name, self.labels, 'Annotations', '.xml')
            tasks.append((image.relative_to(base).as_posix(), image, labels))
        return tasks

    def count_bare(self, tasks: list[tuple]) -> int:
        """Images without an xml file, in the folders of those that have one.

        A list chooses on purpose, so they matter where there is none.
        """
        folders = {image.parent for _, image, _ in tasks}
        return sum(
            path.parent in folders and name not in self.labels
            for name, paths in self.images.items()
            for path in paths
        )
