"""Converts the detection labels of BDD100K to COCO annotation files.

    python tools/dataset_converters/bdd100k.py data/bdd100k \\
        --timeofday daytime
    python tools/dataset_converters/bdd100k.py data/bdd100k --timeofday night

The folder holds images/100k/{train,val}/*.jpg and either the labels of 2018,
labels/bdd100k_labels_images_{train,val}.json, or those of 2020,
labels/det_20/det_{train,val}.json. The result is
annotations/{train,val}_daytime.json and so on. Without --timeofday it is
annotations/{train,val}.json with all images.

The default classes are the eight of Cityscapes; BDD100K has all of them.
Images without a label are converted, too. Lanes and drivable areas have no box
and are left out.
"""

from argparse import SUPPRESS
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command


@command
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(__doc__, argument_default=SUPPRESS)
    add = parser.add_argument
    add('root', type=Path, help='the folder with images/100k and labels')
    parser.add_out(
        'folder to write (default: annotations/ in the source folder)',
        type=Path,
    )
    parser.add_classes(
        default='person rider car truck bus train motorcycle bicycle'
    )
    add(
        '--splits',
        nargs='+',
        choices=('train', 'val'),
        help='splits to convert (default: train val)',
    )
    add(
        '--timeofday',
        choices=('daytime', 'night', 'dawn/dusk'),
        help='only images of this time (default: all)',
    )
    parser.add_skip_broken()
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import bdd100k, summary

    written = bdd100k.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
