"""The image files that a label file names."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from posixpath import normpath
from urllib.parse import unquote

from da_faster.data_conversion.samples import ConversionError, Sample
from da_faster.listing import IMAGE_SUFFIXES, list_files

# Paths that lie below no folder: absolute, on a drive, addresses, outside.
FOREIGN = re.compile(r'/|\.\./|[A-Za-z]:/|[A-Za-z][\w+.-]*://')


def default_name(labels: Path, images: Path) -> str:
    """Returns the default name of the result of a label file.

    It is the name of the label file, or of the folder where the label file is
    among its images: Roboflow gives the label files of all splits one name.
    """
    folder = images.resolve()
    return folder.name if labels.resolve().parent == folder else labels.stem


def find_images(
    samples: Sequence[Sample | ConversionError], folder: Path, labels: Path
) -> list[Sample | ConversionError]:
    """Replaces the file names of samples by those that exist.

    Args:
        samples: Samples with the file names of the label file, or errors.
        folder: The folder of the images.
        labels: The label file.

    Returns:
        The samples with file names that exist below ``folder``; an error in
        the place of a sample whose image is missing. Errors stay.

    Raises:
        ConversionError: If two samples have one image.
    """
    names = ImageNames(
        folder, (s.file_name for s in samples if isinstance(s, Sample))
    )
    found: list[Sample | ConversionError] = []
    stated: dict[str, str] = {}
    for sample in samples:
        if isinstance(sample, ConversionError):
            found.append(sample)
            continue
        try:
            name = names.find(sample.file_name)
        except ConversionError as error:
            found.append(error)
            continue
        if name in stated:
            raise ConversionError(
                f'{labels} lists {folder / name} twice, as {stated[name]} and '
                f'as {sample.file_name}: give every image one entry.'
            )
        stated[name] = sample.file_name
        found.append(sample._replace(file_name=name))
    return found


class ImageNames:
    """Finds images below a folder under the names that a label file has.

    The names may have backslashes as on Windows, signs of an address
    (``%20``), and accented letters in either of Unicode's forms, which a copy
    between systems changes. A name may lack the suffix if only one image fits.
    A path of another machine is found by its base name, if no other image in
    the label file has that base name.

    Args:
        folder: The folder of the images.
        stated: All names in the label file.
    """

    def __init__(self, folder: Path, stated: Iterable[str]) -> None:
        self.folder = folder
        self.root = folder.resolve().as_posix() + '/'
        self.base_names = Counter(
            base_name(unquote(name)) for name in set(stated)
        )

    @cached_property
    def stems(self) -> dict[str, list[str]]:
        """Names of the images by name without suffix."""
        found = defaultdict(list)
        for path in list_files(self.folder, IMAGE_SUFFIXES):
            name = path.relative_to(self.folder)
            found[name.with_suffix('').as_posix()].append(name.as_posix())
        return found

    @cached_property
    def there(self) -> dict[str, Path]:
        """Paths of the images by name in lower case."""
        return {
            path.relative_to(self.folder).as_posix().lower(): path
            for path in list_files(self.folder, IMAGE_SUFFIXES)
        }

    def candidates(self, stated: str) -> Iterator[str]:
        """Yields the names below the folder that may be meant."""
        if '%' in stated:
            yield stated
            if (plain := unquote(stated)) != stated:
                yield from self.candidates(plain)
        name = stated.replace('\\', '/')
        if not FOREIGN.match(name):
            yield from (stated, name)
            return
        if name.startswith('../'):
            yield name
        if name.startswith(self.root):
            yield name.removeprefix(self.root)
        if self.base_names[base_name(unquote(name))] == 1:
            yield base_name(name)

    def find(self, stated: str) -> str:
        """Returns the path of an image relative to the folder.

        Raises:
            ConversionError: If the image is missing.
        """
        if stated.startswith('data:'):
            raise ConversionError(
                f'the label file has an image itself ({stated[:22]}...) in '
                'the place of a file name: export it with file names.'
            )
        for name in self.candidates(stated):
            for form in (
                name,
                unicodedata.normalize('NFC', name),
                unicodedata.normalize('NFD', name),
            ):
                if (self.folder / form).is_file():
                    return normpath(form)
        if not stated.lower().endswith(IMAGE_SUFFIXES):
            names = self.stems.get(stated, ())
            if len(names) == 1:
                return names[0]
        raise ConversionError(self.sentence(stated))

    def sentence(self, stated: str) -> str:
        """Says what to do about a missing image."""
        name = stated.replace('\\', '/')
        if FOREIGN.match(name):
            same = self.base_names[base_name(unquote(name))] > 1
            why = 'which several images have' if same else 'which is not there'
            return (
                f'{stated} is no path below {self.folder}, and was looked for '
                f'by its base name, {why}: write names relative to the image '
                'folder into the label file.'
            )
        text = f'{self.folder / name} is missing'
        for parent in self.folder.resolve().parents[:2]:
            if (parent / name).is_file():
                return (
                    f'{text}, but {parent / name} is there: give {parent} as '
                    'the image folder.'
                )
        other = self.there.get(name.lower()) or self.there.get(
            base_name(name).lower()
        )
        if other:
            return (
                f'{text}, but {other} is there: the names in the label file '
                'and the files must agree.'
            )
        return f'{text}: complete the download of the dataset.'


def base_name(name: str) -> str:
    """Returns a path without its folders, with slashes or backslashes."""
    return name.replace('\\', '/').rpartition('/')[2]
