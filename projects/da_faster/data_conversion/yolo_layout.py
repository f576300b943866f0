"""The classes and images of a set in YOLO's format, read of data.yaml."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import yaml

from da_faster.data_conversion.reading import read_lines
from da_faster.data_conversion.samples import ConversionError
from da_faster.listing import IMAGE_SUFFIXES, list_files

SPLITS = ('train', 'val', 'test')
# Splits of sets without a data.yaml; Roboflow and Darknet write "valid".
FOLDERS = ('train', 'val', 'valid', 'test')
NAME_FILES = ('classes.txt', 'obj.names', 'labels/classes.txt')


class Layout:
    """The classes of a set and the images of its splits.

    Args:
        path: The file that describes the set.
        names: Class names by number.
        paths: Folders, lists of images, or images, by name of the split;
            relative to the folder of ``path`` or to ``base``.
        base: Another folder.
    """

    def __init__(
        self, path: Path, names: dict[int, str], paths: dict, base: str = ''
    ) -> None:
        self.path = path
        self.root = path.parent
        self.names = names
        self.paths = paths
        self.bases = [self.root / base.replace('\\', '/'), self.root]

    @property
    def splits(self) -> list[str]:
        return list(self.paths)

    def images(self, split: str) -> list[Path]:
        """Returns the images of a split, in the order of folders and lists."""
        if split not in self.paths:
            raise ConversionError(
                f'{self.path} has no {split}: it has {", ".join(self.paths)}.'
            )
        found = []
        for stated in self.paths[split]:
            if isinstance(stated, Path):
                found.append(stated)
                continue
            path = self.find(stated, self.bases)
            if path is None:
                raise ConversionError(
                    f'{self.path} has {split}: {stated}, which does not exist '
                    f'in {self.root}: correct it there, or choose with '
                    '--splits.'
                )
            found += (
                list_files(path, IMAGE_SUFFIXES)
                if path.is_dir()
                else self.listed(path)
            )
        return found

    def listed(self, path: Path) -> Iterator[Path]:
        """Yields the images of a list, missing ones as the list names them."""
        lines = read_lines(path, f'correct {self.path}.')
        for line in filter(None, map(str.strip, lines)):
            found = self.find(line, [path.parent, *self.bases])
            yield found or path.parent / line

    @staticmethod
    def find(stated: str, bases: list[Path]) -> Path | None:
        """Finds the path that a file means; None if there is none.

        Roboflow writes ``../train/images`` for ``train/images``, CVAT
        ``data/obj_train_data/a.jpg`` for ``obj_train_data/a.jpg``.
        """
        stated = stated.replace('\\', '/').removeprefix('./')
        for name in (
            stated,
            stated.removeprefix('../'),
            stated.removeprefix('data/'),
        ):
            for base in bases:
                if (base / name).exists():
                    return base / name
        return None


def read_layout(root: Path) -> Layout:
    """Reads the layout of a set.

    Args:
        root: A folder with data.yaml, obj.data (Darknet) or classes.txt
            (LabelImg, Label Studio), or one of these files.
    """
    path = root if root.is_file() else find_description(root)
    if path.suffix in ('.yaml', '.yml'):
        return read_yaml(path)
    if path.suffix == '.data':
        return read_darknet(path)
    return read_folder(path, root if root.is_dir() else root.parent)


def find_description(root: Path) -> Path:
    """Finds the file of a folder that names the classes."""
    if not root.is_dir():
        raise ConversionError(f'{root} is not a folder: check the path.')
    found = [
        path
        for ending in ('*.yaml', '*.yml', '*.data')
        for path in sorted(root.glob(ending))
        if not path.name.startswith('.')
    ]
    usual = [path for path in found if path.stem == 'data']
    if len(found) > 1 and len(usual) != 1:
        raise ConversionError(
            f'{root} has {found[0].name} and {found[1].name}: give the one '
            'that describes the set.'
        )
    found = usual or found
    found += [root / name for name in NAME_FILES if (root / name).is_file()]
    if not found:
        raise ConversionError(
            f'{root} has no data.yaml: write one, with the line '
            '"names: [CLASS, ...]", in the order of the numbers in the label '
            'files, and the lines "train: FOLDER" and "val: FOLDER".'
        )
    return found[0]


def read_yaml(path: Path) -> Layout:
    """Reads a data.yaml."""
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8-sig'))
        if not isinstance(content, dict):
            raise ValueError('it has no "names:"')
        if 'kpt_shape' in content:
            raise ValueError('its labels are keypoints, not boxes')
        names = names_of(content)
        paths = {
            split: paths_of(split, content[split])
            for split in SPLITS
            if content.get(split)
        }
        if not paths:
            raise ValueError('it has none of "train:", "val:" and "test:"')
        base = str(content.get('path') or '')
    except (OSError, ValueError, yaml.YAMLError) as error:
        text = ' '.join(str(error).split())
        raise ConversionError(
            f'{path} does not describe a set ({text}): correct it.'
        ) from error
    return Layout(path, names, paths, base)


def paths_of(split: str, value) -> list[str]:
    """Returns the folders or lists of a split.

    Args:
        split: Name of the split.
        value: Entry of the split in data.yaml.

    Raises:
        ValueError: If an entry is no text.
    """
    paths = value if isinstance(value, list) else [value]
    if not all(isinstance(stated, str) for stated in paths):
        raise ValueError(f'{split} is not a folder or a list of folders')
    return paths


def names_of(content: dict) -> dict[int, str]:
    """Reads the class names of a data.yaml, by number.

    Raises:
        ValueError: If they are missing or broken.
    """
    names = content.get('names')
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names:
        raise ValueError('it has no list "names:"')
    for number, name in names.items():
        # YAML reads the class no without quotation marks as False.
        if type(number) is not int or type(name) not in (str, int):
            raise ValueError(
                f'class {number!r} is {name!r}: write it in quotation marks'
            )
    count = content.get('nc', len(names))
    if count != len(names):
        raise ValueError(f'nc is {count}, but it has {len(names)} names')
    return {number: str(name) for number, name in names.items()}


def read_names(path: Path) -> dict[int, str]:
    """Reads class names by number, of a text with a name a line."""
    lines = [line.strip() for line in read_lines(path, 'give the classes.')]
    while lines and not lines[-1]:
        lines.pop()
    if '' in lines:
        raise ConversionError(
            f'{path} has no class in line {1 + lines.index("")}: give a name '
            'a line, in the order of the numbers.'
        )
    if not lines:
        raise ConversionError(f'{path} is empty: give a name a line.')
    return dict(enumerate(lines))


def read_darknet(path: Path) -> Layout:
    """Reads an obj.data, as Darknet and CVAT write it."""
    pairs = (
        line.split('=', 1)
        for line in read_lines(path, 'check the path.')
        if '=' in line
    )
    content = {key.strip(): value.strip() for key, value in pairs}
    names = Layout.find(content.get('names', 'obj.names'), [path.parent])
    paths = {
        split: [content[key]]
        for split, key in (('train', 'train'), ('val', 'valid'))
        if content.get(key)
    }
    if names is None or not paths:
        raise ConversionError(
            f'{path} lacks {"train" if names else "the file of names"}: '
            'export it again.'
        )
    return Layout(path, read_names(names), paths)


def read_folder(path: Path, root: Path) -> Layout:
    """Takes all images of a folder; subfolders like train/ are splits."""
    paths = defaultdict(list)
    for image in list_files(root, IMAGE_SUFFIXES):
        folders = image.relative_to(root).parts[:-1]
        split = next((part for part in folders if part in FOLDERS), 'all')
        paths[split].append(image)
    if not paths:
        raise ConversionError(f'{root} holds no image: check the path.')
    layout = Layout(path, read_names(path), dict(paths))
    layout.root = root
    return layout
