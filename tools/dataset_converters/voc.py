"""Converts a dataset in PASCAL VOC's layout to COCO annotation files.

    python tools/dataset_converters/voc.py data/VOCdevkit/VOC2007 \\
        data/VOCdevkit/VOC2012 --splits trainval
    python tools/dataset_converters/voc.py data/clipart
    python tools/dataset_converters/voc.py data/watercolor \\
        --classes bicycle bird car cat dog person
    python tools/dataset_converters/voc.py data/sim10k --classes car

A folder holds Annotations/*.xml, JPEGImages/ and ImageSets/Main/*.txt, as
those of VOC do; or annotations/ and images/; or xml files beside the images.
Subfolders train/, valid/ and test/ with these contents are splits. The command
writes one file <split>.json per split. Several folders go into one file, with
file names relative to their common parent. Images stay where they are.

VOC counts pixels from 1 and includes the last one, so a box reaches from
xmin - 1 to xmax. Boxes that are "difficult" get iscrowd=1: neither training
nor evaluation counts them. The file name inside an xml file is not used. CVAT
and Label Studio count from 0: give --first-pixel 0.
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
        'roots',
        type=Path,
        nargs='+',
        help='folders with Annotations and JPEGImages',
    )
    parser.add_out(
        'folder to write (default: annotations/ in the source folder, '
        'or in the common parent of several)',
        type=Path,
    )
    parser.add_classes(default='the 20 of PASCAL VOC')
    add(
        '--splits',
        nargs='+',
        help='lists of ImageSets/Main, without .txt, or subfolders (default: '
        'those of train, val, valid, trainval, test that exist; where none '
        'of them exists, every list; without lists, one split "all")',
    )
    add(
        '--first-pixel',
        type=int,
        choices=(0, 1),
        help='number of the first pixel in the xml files (default: 1)',
    )
    parser.add_skip_broken()
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import summary, voc

    written = voc.convert(*options.pop('roots'), **options)
    print(summary(written))


if __name__ == '__main__':
    main()
