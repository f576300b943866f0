"""Makes a clean COCO annotation file of any COCO annotation file.

    python tools/dataset_converters/coco_subset.py labels.json \\
        data/my_source/images --classes person automobile=car

--classes chooses, renames, merges and orders the classes; the category ids
become 1, 2, ... in that order. Every image must exist in the folder (the
second argument) and have the stated size. Boxes are clipped to their image.
Boxes are left out and counted that have no extent, lie outside, are not
finite, or belong to an image or a category that the file does not list. Masks
are not kept.

The result is annotations/<name of the file>.json beside the image folder. A
file among its images gives its folder's name, so the parts of a set that
Roboflow exports do not get in each other's way:

    python tools/dataset_converters/coco_subset.py \\
        data/mine/train/_annotations.coco.json data/mine/train

gives data/mine/annotations/train.json.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    add = parser.add_argument
    add('labels', type=Path, help='a COCO annotation file')
    add('images', type=Path, help='the folder its file names are in')
    add(
        '--out',
        type=Path,
        help='folder to write (default: annotations/ beside the image folder)',
    )
    add(
        '--classes',
        nargs='+',
        metavar='LABEL[=CLASS]',
        help='labels to keep, renamed where =CLASS says so; the order of the '
        'classes gives the category ids 1, 2, ... (default: all)',
    )
    add(
        '--name',
        help='of the result (default: that of the file, or that of the image '
        'folder where the file is among the images)',
    )
    add(
        '--skip-broken',
        action='store_true',
        help='leave out images that cannot be used, and name them',
    )
    add('--force', action='store_true', help='replace an earlier result')
    add('--nproc', type=int, help='processes (default: one per core)')
    options = vars(parser.parse_args(argv))

    # Importing torch and mmdet takes seconds: parse first.
    from da_faster.data_conversion import coco_subset, summary
    from da_faster.errors import one_sentence

    with one_sentence():
        written = coco_subset.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
