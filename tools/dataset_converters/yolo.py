"""Converts labels in YOLO's txt format to COCO annotation files.

    python tools/dataset_converters/yolo.py data/mine
    python tools/dataset_converters/yolo.py data/mine/data.yaml --splits train

The folder holds data.yaml, as Ultralytics, Roboflow and CVAT write it: "names"
has the classes, "train", "val" and "test" the images. A label file lies where
Ultralytics expects it, in labels/ in the place of images/, or beside the
image. Without data.yaml, the classes come from obj.data (Darknet, CVAT) or
classes.txt (LabelImg, Label Studio). Without lists of images and without
subfolders such as train/, all images are one split "all".

The result is annotations/<split>.json, with file names relative to the folder
of data.yaml. An empty label file means an image without objects. An image
without a label file is left out and counted; with --missing-is-empty it is an
image without objects. Outlines become boxes.
"""

from argparse import SUPPRESS
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command


@command
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(__doc__, argument_default=SUPPRESS)
    add = parser.add_argument
    add('root', type=Path, help='a folder with data.yaml, or that file')
    parser.add_out(
        'folder to write (default: annotations/ beside data.yaml)', type=Path
    )
    parser.add_classes(default='all')
    add(
        '--splits',
        nargs='+',
        help='splits to convert (default: those of train, val and test that '
        'data.yaml has)',
    )
    add(
        '--missing-is-empty',
        action='store_true',
        help='take images without a label file as images without objects '
        '(default: leave them out)',
    )
    parser.add_skip_broken()
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import summary, yolo

    written = yolo.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
