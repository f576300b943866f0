"""Converts a table with a line for each box to a COCO annotation file.

    python tools/dataset_converters/csv_table.py data/mine/train.csv \\
        data/mine/images
    python tools/dataset_converters/csv_table.py train.csv images \\
        --columns image=id --label wheat --box-format xywh

The first line names the columns. Usual names are understood: filename or
image_id; class or label; xmin, ymin, xmax, ymax, or x1, y1, x2, y2, or x, y,
width, height, or a whole box in one column, bbox. --columns assigns columns
with other names; the keys are image, label, xmin, ymin, xmax, ymax, x, y,
width, height, bbox. Where the table has corners and the size of the image, the
size is compared with the image.

A line with an empty box is an image without objects. Images that no line names
are left out and counted. Corners are in pixels from 0, or, with --relative,
between 0 and 1. The result is annotations/<name of the table>.json beside the
image folder, with file names from that folder.
"""

from argparse import SUPPRESS
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command


@command
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(__doc__, argument_default=SUPPRESS)
    add = parser.add_argument
    add('table', type=Path, help='a csv file; , ; or tabs between the values')
    add(
        'images',
        type=Path,
        help='the folder that its file names are relative to',
    )
    parser.add_out(
        'folder to write (default: annotations/ beside the image folder)',
        type=Path,
    )
    add(
        '--columns',
        nargs='+',
        metavar='KEY=COLUMN',
        help='columns whose names are not the usual ones',
    )
    add('--label', help='class of every box, where the table has no classes')
    add(
        '--box-format',
        choices=('xyxy', 'xywh'),
        help='format of a column that holds a whole box: corners, or a '
        'corner and the size',
    )
    add(
        '--relative',
        action='store_true',
        help='corners are relative to the image (default: pixels)',
    )
    parser.add_classes(default='all, in the order of the alphabet')
    add(
        '--name',
        help='name of the result (default: the name of the table, or of the '
        'image folder where the table is among the images)',
    )
    parser.add_skip_broken()
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import csv_table, summary

    written = csv_table.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
