"""Makes a clean COCO annotation file of any COCO annotation file.

    python tools/dataset_converters/coco_subset.py labels.json \\
        data/my_source/images --classes person automobile=car

--classes chooses, renames, merges and orders the classes; the category ids
become 1, 2, ... in that order. Every image must exist in the folder (the
second argument) and have the stated size. Boxes are clipped to their image.
A box is left out and counted where it has no extent, lies outside, is not
finite, or belongs to an image or a category that the file does not list. Masks
are not kept.

The result is annotations/<name of the file>.json beside the image folder.
Where the file is among the images, the result has the name of the folder, so
that the parts of a Roboflow export do not overwrite each other:

    python tools/dataset_converters/coco_subset.py \\
        data/mine/train/_annotations.coco.json data/mine/train

gives data/mine/annotations/train.json.
"""

from argparse import SUPPRESS
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command


@command
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(__doc__, argument_default=SUPPRESS)
    add = parser.add_argument
    add('labels', type=Path, help='a COCO annotation file')
    add(
        'images',
        type=Path,
        help='the folder that its file names are relative to',
    )
    parser.add_out(
        'folder to write (default: annotations/ beside the image folder)',
        type=Path,
    )
    parser.add_classes(default='all')
    add(
        '--name',
        help='name of the result (default: the name of the file, or of the '
        'image folder where the file is among the images)',
    )
    parser.add_skip_broken()
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import coco_subset, summary

    written = coco_subset.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
