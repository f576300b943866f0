"""Checks what only the image files themselves tell."""

import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from PIL import Image

from da_faster.image_files import (
    advice_on_size,
    is_deep,
    loaded_size,
    orientation,
)
from da_faster.listing import choose_evenly
from da_faster.progress import progress

from .brightness import check_brightness
from .checks import Checker
from .parts import Part
from .reader import name_all

BROKEN = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
SOME = 50  # images of a part whose headers the quick check reads
DEEP = 3  # images of more than 8 bits among them that it loads


class ImageFile(NamedTuple):
    """The values that were read from an image file.

    Args:
        digest (str): SHA-256 of the file; '' where only a header was read.
        size (tuple[int, int]): Width and height of the loaded image; None
            where it could not be read.
        turned (bool): Whether the EXIF orientation is other than upright.
        deep (bool): Whether the image has more than 8 bits a sample.
        error (str): What is wrong with the file, or ''.
    """

    digest: str = ''
    size: tuple | None = None
    turned: bool = False
    deep: bool = False
    error: str = ''


def how_loaded(part: Part) -> dict | None:
    """Returns the arguments of ``mmcv.imread`` that a pipeline stands for.

    Returns:
        dict: ``flag`` and ``backend``; None where a transform that is not
        LoadImageFromFile loads the images.
    """
    steps = part.cfg.get('pipeline') or ()
    for step in steps:
        if 'LoadImageFromFile' in str(step.get('type')):
            return dict(
                flag=step.get('color_type', 'color'),
                backend=step.get('imdecode_backend') or 'cv2',
            )
    return None if steps else dict(flag='color', backend='cv2')


def read_image(path: str, how: dict | None) -> ImageFile:
    """Reads an image file as a whole."""
    try:
        with open(path, 'rb') as file:
            content = file.read()
        digest = hashlib.sha256(content).hexdigest()
        with Image.open(io.BytesIO(content)) as image:
            deep = is_deep(image)
            # A whole file ends with an end marker. Other files are decoded, as
            # are PNGs whose orientation may stand behind the pixels.
            if (
                not content.endswith((b'\xff\xd9', b'IEND\xaeB`\x82'))
                or image.format == 'PNG'
                and b'eXIf' in content
            ):
                image.load()
            size = loaded_size(path, image, **(how or {}))
            return ImageFile(digest, size, orientation(image) > 1, deep)
    except Image.DecompressionBombError:
        limit = 2 * Image.MAX_IMAGE_PIXELS // 10**6
        return ImageFile(
            error=f'more than {limit} million pixels; cut it into tiles'
        )
    except BROKEN as error:
        # Pillow names the buffer that it was given.
        return ImageFile(error=str(error).split('\n')[0].split(' <_io.')[0])


def read_header(path: str, how: dict | None) -> ImageFile:
    """Reads the header of an image file; a broken file gives no values."""
    try:
        with Image.open(path) as image:
            deep = is_deep(image)
            size = loaded_size(path, image, **(how or {}))
            return ImageFile('', size, orientation(image) > 1, deep)
    except BROKEN:
        return ImageFile()


def check_some_images(checker: Checker, parts: list[Part]) -> None:
    """Checks the headers of a few images of each part, for the quick check."""
    for part in parts:
        how = how_loaded(part)
        some = choose_evenly(part.images, SOME)
        read = {path: read_header(path, how) for path in some}
        if part.content is not None and part.images:
            check_sizes(checker, part, read)
        check_brightness(checker, part, read, how, DEEP)


def check_images(checker: Checker, parts: list[Part], nproc: int) -> None:
    """Reads all images of some parts, and checks what they tell.

    Args:
        checker (Checker): Gets the findings.
        parts (list[Part]): The parts.
        nproc (int): Threads that read.
    """
    tasks = {
        path: how_loaded(part)
        for part in parts
        for path in part.images
        if os.path.isfile(path)
    }
    paths = sorted(tasks)
    if not paths:
        return
    # Threads: hashing and reading leave the interpreter free.
    with ThreadPoolExecutor(nproc) as pool:
        results = pool.map(read_image, paths, [tasks[p] for p in paths])
        results = list(progress(results, len(paths), 'images'))
    read = dict(zip(paths, results))
    for part in parts:
        broken = [p for p in part.images if p in read and read[p].error]
        if broken:
            named = [f'{path} ({read[path].error})' for path in broken]
            checker.fatal(
                f'{part.where}: {len(broken)} of {len(part.images)} images '
                f'are broken: {name_all(named, len(part.images))}: download '
                "them again, or take them out (a converter's --skip-broken "
                'does).'
            )
        if part.content is not None:
            check_sizes(checker, part, read)
        check_brightness(checker, part, read, how_loaded(part), SOME)
    checker.overlap.by_content(
        {path: file.digest for path, file in read.items() if not file.error}
    )


def check_sizes(checker: Checker, part: Part, read: dict) -> None:
    """Finds images whose size is not the one that the annotations state.

    Args:
        checker (Checker): Gets the findings.
        part (Part): A part with annotations.
        read (dict[str, ImageFile]): By path, what was read of some images or
            all.
    """
    other, turned = [], []
    for image, path in zip(part.content['images'], part.images):
        file = read.get(path, ImageFile())
        stated = image.get('width'), image.get('height')
        if file.size and None not in stated and file.size != stated:
            other.append((path, file.size, stated))
        elif file.turned:
            turned.append(path)
    looked = sum(path in read for path in part.images)
    if other:
        path, size, stated = other[0]
        advice = advice_on_size(
            path, size, stated, 'give the images that were labelled'
        )
        checker.fatal(
            f'{part.where}: {len(other)} of {looked} '
            f'images have another size than it says, e.g. {path} is '
            f'{size[0]}x{size[1]}, not {stated[0]}x{stated[1]}: {advice}.'
        )
    elif turned and part.role != 'target':
        checker.warn(
            f'{part.where}: {len(turned)} of {looked} images have an EXIF '
            f'orientation, e.g. {turned[0]}; their boxes must be of the '
            'images as they are loaded: look at them with '
            'tools/browse_domains.py.'
        )
