"""Converts labels in KITTI's format to a COCO annotation file.

    python tools/dataset_converters/kitti.py data/kitti
    python tools/dataset_converters/kitti.py data/kitti --classes \\
        Pedestrian=person Cyclist=rider Car=car Truck=truck Tram=train

The folder holds training/image_2/000000.png ... and training/label_2/*.txt.
The result is annotations/trainval.json with all labelled images: 7,481 in the
publisher's set, as the labels of its testing/ are not public. Where
ImageSets/train.txt and val.txt list the numbers of images, train.json and
val.json are written too.

Labels of your own in this format (15 values a line, of any classes, images of
any kind) lie in labels/*.txt and images/, or in label_2 and image_2:

    python tools/dataset_converters/kitti.py data/mine --classes crate pallet

File names count from the folder of the images. Corners count pixels from 0.
DontCare regions are left out.
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
    add(
        'root',
        type=Path,
        help='has training/image_2 and training/label_2, or images and labels',
    )
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
        'classes gives the category ids 1, 2, ... (default: Car=car)',
    )
    add(
        '--splits',
        nargs='+',
        help='lists of ImageSets, without .txt (default: trainval, all images '
        'where there is no such list, and train and val where there is)',
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
    from da_faster.data_conversion import kitti, summary
    from da_faster.errors import one_sentence

    with one_sentence():
        written = kitti.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
