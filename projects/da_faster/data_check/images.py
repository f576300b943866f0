"""What only the image files themselves tell."""

import hashlib
import io
import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from PIL import Image

from da_faster.image_files import (
    is_deep,
    loaded_size,
    mend_size,
    orientation,
)
from da_faster.listing import spread
from da_faster.progress import progress

from .brightness import check_brightness
from .checks import Checker
from .parts import Part, name_all

BROKEN = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
SOME = 50  # images of a part whose headers the quick check reads
DEEP = 3  # of them, those of more than 8 bits that it loads


class ImageFile(NamedTuple):
    """What was read of an image file.

    Args:
        digest: SHA-256.
        size: Width and height as it is loaded, or None.
        turned: Whether it has an EXIF orientation other than upright.
        deep: Whether it has more than 8 bits a sample.
        error: '', or what is wrong with it.
    """

    digest: str = ''
    size: tuple | None = None
    turned: bool = False
    deep: bool = False
    error: str = ''


def how_loaded(part: Part) -> dict | None:
    """Arguments of ``mmcv.imread``, from the pipeline of a part.

    None where a transform of somebody's own loads the images.
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
            # A whole file ends with its end marker; decode the others, and
            # PNGs that may have their orientation behind the pixels.
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
    """Reads no more than the header of an image file, if it can be read."""
    try:
        with Image.open(path) as image:
            deep = is_deep(image)
            size = loaded_size(path, image, **(how or {}))
            return ImageFile('', size, orientation(image) > 1, deep)
    except BROKEN:
        return ImageFile()


def check_some_images(checker: Checker, parts: list[Part]) -> None:
    """The headers of a few images of each part, for the quick check."""
    for part in parts:
        how = how_loaded(part)
        some = spread(part.images, SOME)
        read = {path: read_header(path, how) for path in some}
        if part.content is not None and part.images:
            check_sizes(checker, part, read)
        check_brightness(checker, part, read, how, DEEP)


def check_images(checker: Checker, parts: list[Part], nproc: int) -> None:
    """Adds what only the image files tell to the findings."""
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
    same = defaultdict(dict)
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
        role, images = checker.compared(part)
        for path in images:
            if path in read and path not in broken:
                same[role].setdefault(read[path].digest, path)
        if part.content is not None:
            check_sizes(checker, part, read)
        check_brightness(checker, part, read, how_loaded(part), SOME)
    checker.check_overlap(same, 'content (SHA-256)')


def check_sizes(checker: Checker, part: Part, read: dict) -> None:
    """The annotations state the sizes that the images have when loaded.

    Args:
        checker: Gets the findings.
        part: With annotations.
        read: ImageFile by path, of all of its images or some.
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
        mend = mend_size(
            path, size, stated, 'give the images that were labelled'
        )
        checker.fatal(
            f'{part.where}: {len(other)} of {looked} '
            f'images have another size than it says, e.g. {path} is '
            f'{size[0]}x{size[1]}, not {stated[0]}x{stated[1]}: {mend}.'
        )
    elif turned and part.role != 'target':
        checker.warn(
            f'{part.where}: {len(turned)} of {looked} images have an EXIF '
            f'orientation, e.g. {turned[0]}; their boxes must be of the '
            'images as they are loaded: look at them with '
            'tools/browse_domains.py.'
        )
