"""What only the image files themselves tell."""

import hashlib
import io
import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from da_faster.progress import progress

from .checks import Checker
from .parts import Part


def read_image(path: str) -> tuple[str, tuple | None, str]:
    """SHA-256, size and error of an image file."""
    try:
        with open(path, 'rb') as file:
            content = file.read()
        digest = hashlib.sha256(content).hexdigest()
        with Image.open(io.BytesIO(content)) as image:
            # A whole file ends with its end marker; decode the others.
            if not content.endswith((b'\xff\xd9', b'IEND\xaeB`\x82')):
                image.load()
            return digest, image.size, ''
    except (OSError, SyntaxError, ValueError) as error:
        return '', None, str(error).split('\n')[0]


def check_images(checker: Checker, nproc: int) -> None:
    """Adds what only the image files tell to the findings."""
    paths = sorted(
        {
            path
            for part in checker.parts
            for path in part.images
            if os.path.isfile(path)
        }
    )
    if not paths:
        return
    # Threads: hashing and reading leave the interpreter free.
    with ThreadPoolExecutor(nproc) as pool:
        results = pool.map(read_image, paths)
        results = list(progress(results, len(paths), 'images'))
    read = dict(zip(paths, results))
    same = defaultdict(dict)
    for part in checker.parts:
        broken = [p for p in part.images if p in read and read[p][2]]
        if broken:
            checker.fatal(
                f'{part.where}: {len(broken)} of '
                f'{len(part.images)} images are broken, e.g. '
                f'{broken[0]} ({read[broken[0]][2]}): download '
                'them again.'
            )
        if part.role == 'test' and part.content is None:
            continue  # to predict on: may be the target's own
        for path in part.images:
            if path in read and path not in broken:
                same[part.role].setdefault(read[path][0], path)
        if part.content is not None:
            check_sizes(checker, part, read)
    checker.check_overlap(same, 'content (SHA-256)')


def check_sizes(checker: Checker, part: Part, read: dict) -> None:
    """The annotations state the sizes that the images have."""
    other = []
    for image, path in zip(part.content['images'], part.images):
        size = read.get(path, (None, None))[1]
        stated = image.get('width'), image.get('height')
        if size and None not in stated and size != stated:
            other.append((path, size, stated))
    if other:
        path, size, stated = other[0]
        checker.fatal(
            f'{part.where}: {len(other)} of {len(part.images)} '
            f'images have another size than it says, e.g. {path} is '
            f'{size[0]}x{size[1]}, not {stated[0]}x{stated[1]}: '
            'give the images that were labelled.'
        )
