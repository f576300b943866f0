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
Images without a label count too. Lanes and drivable areas have no box and are
passed over.
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
    add('root', type=Path, help='has images/100k and labels')
    add(
        '--out',
        type=Path,
        help='folder to write (default: annotations/ in the source folder)',
    )
    add(
        '--classes',
        nargs='+',
        metavar='LABEL[=CLASS]',
        help='labels to keep, renamed where =CLASS says so; the order of the '
        'classes gives the category ids 1, 2, ... (default: person rider '
        'car truck bus train motorcycle bicycle)',
    )
    add(
        '--splits',
        nargs='+',
        choices=('train', 'val'),
        help='(default: train val)',
    )
    add(
        '--timeofday',
        choices=('daytime', 'night', 'dawn/dusk'),
        help='only images of this time (default: all)',
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
    from da_faster.data_conversion import bdd100k, summary
    from da_faster.errors import one_sentence

    with one_sentence():
        written = bdd100k.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
