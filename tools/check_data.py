"""Check the data of a config: python tools/check_data.py CONFIG [options].

Prints what the source, the target and the test set are, then one sentence for
everything that is wrong with them.  The exit code is 1 where an error is
fatal.  Other than the quick check before every training it reads every image
file: broken ones, sizes other than the annotations', and images that two of
the sets share though their names differ.
"""
import argparse
import hashlib
import io
import os
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Optional, Sequence, Tuple

from cli import add_common_args, load_config
from data_checks import Checker, check
from data_parts import Part
from mmengine.utils import ProgressBar
from PIL import Image


def read_image(path: str) -> Tuple[str, Optional[tuple], str]:
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
    paths = sorted({
        path
        for part in checker.parts
        for path in part.images if os.path.isfile(path)
    })
    if not paths:
        return
    bar = ProgressBar(len(paths), file=sys.stdout)
    read = {}
    # Threads: hashing and reading leave the interpreter free.
    with ThreadPoolExecutor(nproc) as pool:
        for path, result in zip(paths, pool.map(read_image, paths)):
            read[path] = result
            bar.update()
    print()
    same = defaultdict(dict)
    for part in checker.parts:
        broken = [p for p in part.images if p in read and read[p][2]]
        if broken:
            checker.fatal(f'{part.where}: {len(broken)} of '
                          f'{len(part.images)} images are broken, e.g. '
                          f'{broken[0]} ({read[broken[0]][2]}): download '
                          'them again.')
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
        checker.fatal(f'{part.where}: {len(other)} of {len(part.images)} '
                      f'images have another size than it says, e.g. {path} is '
                      f'{size[0]}x{size[1]}, not {stated[0]}x{stated[1]}: '
                      'give the images that were labelled.')


def describe(part: Part) -> str:
    """One line: images, labels and where they come from."""
    if part.role == 'target':
        labels = 'no labels'
        if part.content is not None and part.content.get('annotations'):
            labels = (f'{len(part.content["annotations"])} annotations, which '
                      'are never read')
    else:
        names = {c.get('id'): c.get('name')
                 for c in part.content.get('categories', ())}
        counts = Counter(
            names.get(item.get('category_id'))
            for item in part.content.get('annotations', ()))
        labels = f'{sum(counts.values())} boxes (' + ', '.join(
            f'{name} {counts[name]}' for name in names.values()) + ')'
    place = part.folder if not part.ann_file else (
        f'{part.ann_file}, images below {part.folder}')
    return f'{part.role}: {len(part.images)} images, {labels}; {place}'


def main(argv: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file path')
    parser.add_argument(
        '--fast', action='store_true', help='read no image file')
    parser.add_argument(
        '--nproc', type=int, default=os.cpu_count(), help='threads')
    add_common_args(parser)
    parser.set_defaults(work_dir=None)
    args = parser.parse_args(argv)
    checker = check(load_config(args))
    for part in checker.parts:
        print(describe(part))
    if not args.fast:
        check_images(checker, args.nproc)
    for fatal, text in sorted(checker.findings, key=lambda f: not f.fatal):
        print(f'{"ERROR" if fatal else "warning"}: {text}')
    fatal = sum(finding.fatal for finding in checker.findings)
    if fatal:
        raise SystemExit(f'{fatal} error(s) that make a training worthless.')
    print('No error found.')


if __name__ == '__main__':
    main()
