"""Converts labels in YOLO's txt format to COCO annotation files.

    python tools/dataset_converters/yolo.py data/mine
    python tools/dataset_converters/yolo.py data/mine/data.yaml --splits train

The folder holds data.yaml, as Ultralytics, Roboflow and CVAT write it: "names"
has the classes, "train", "val" and "test" the images. Labels are looked for
where Ultralytics looks, in labels/ in the place of images/, or else beside the
image. Without a data.yaml, obj.data (Darknet, CVAT) or classes.txt (LabelImg,
Label Studio) will do; without a list of images or subfolders train/ and so on,
all of them are one split "all".

The result is annotations/<split>.json, with file names from the folder of
data.yaml. An empty label file says that there is no object in the image. An
image without a label file is left out and counted, or, with
--missing-is-empty, has no object. Outlines become boxes.
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
    add('root', type=Path, help='a folder with data.yaml, or that file')
    add(
        '--out',
        type=Path,
        help='folder to write (default: annotations/ beside data.yaml)',
    )
    add(
        '--classes',
        nargs='+',
        metavar='LABEL[=CLASS]',
        help='labels to keep, renamed where =CLASS says so; the order of the '
        'classes gives the category ids 1, 2, ... (default: all)',
    )
    add(
        '--splits',
        nargs='+',
        help='(default: those of train, val, test that data.yaml has)',
    )
    add(
        '--missing-is-empty',
        action='store_true',
        help='an image without a label file has no objects (default: it is '
        'left out)',
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
    from da_faster.data_conversion import summary, yolo
    from da_faster.errors import one_sentence

    with one_sentence():
        written = yolo.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
