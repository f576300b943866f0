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

File names are relative to the folder of the images. Pixels count from 0.
DontCare regions are left out.
"""

from argparse import SUPPRESS
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command


@command
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(__doc__, argument_default=SUPPRESS)
    add = parser.add_argument
    add(
        'root',
        type=Path,
        help='the folder with training/image_2 and training/label_2, or with '
        'images and labels',
    )
    parser.add_out(
        'folder to write (default: annotations/ in the source folder)',
        type=Path,
    )
    parser.add_classes(default='Car=car')
    add(
        '--splits',
        nargs='+',
        help='lists of ImageSets, without .txt (default: trainval, all images '
        'where there is no such list, and train and val where there is)',
    )
    parser.add_skip_broken()
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import kitti, summary

    written = kitti.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
