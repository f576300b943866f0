"""Converts a table with a line for each box to a COCO annotation file.

    python tools/dataset_converters/csv_table.py data/mine/train.csv \\
        data/mine/images
    python tools/dataset_converters/csv_table.py train.csv images \\
        --columns image=id --label wheat --box-format xywh

The first line names the columns. Usual names are understood: filename or
image_id; class or label; xmin, ymin, xmax, ymax, or x1, y1, x2, y2, or x, y,
width, height, or a whole box in one column, bbox. --columns says which is
which where they are others: its keys are image, label, xmin, ymin, xmax, ymax,
x, y, width, height, bbox. Where the table has the size of the images beside
corners, it is compared with that of the images.

A line with an empty box is an image without objects. Images that no line names
are left out and counted. Corners are in pixels from 0, or, with --relative,
between 0 and 1. The result is annotations/<name of the table>.json beside the
image folder, with file names from that folder.
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
    add('table', type=Path, help='a csv file; , ; or tabs between the values')
    add('images', type=Path, help='the folder its file names are in')
    add(
        '--out',
        type=Path,
        help='folder to write (default: annotations/ beside the image folder)',
    )
    add(
        '--columns',
        nargs='+',
        metavar='KEY=COLUMN',
        help='columns with other names than the usual ones',
    )
    add('--label', help='class of every box, where the table has none')
    add(
        '--box-format',
        choices=('xyxy', 'xywh'),
        help='of a column with the whole box: corners, or corner and size',
    )
    add(
        '--relative',
        action='store_true',
        help='corners are relative to the image (default: pixels)',
    )
    add(
        '--classes',
        nargs='+',
        metavar='LABEL[=CLASS]',
        help='labels to keep, renamed where =CLASS says so; the order of the '
        'classes gives the category ids 1, 2, ... (default: all, in the order '
        'of the alphabet)',
    )
    add(
        '--name',
        help='of the result (default: that of the table, or that of the image '
        'folder where the table is among the images)',
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
    from da_faster.data_conversion import csv_table, summary
    from da_faster.errors import one_sentence

    with one_sentence():
        written = csv_table.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
