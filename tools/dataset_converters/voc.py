"""Converts a dataset in PASCAL VOC's layout to COCO annotation files.

    python tools/dataset_converters/voc.py data/VOCdevkit/VOC2007 \\
        data/VOCdevkit/VOC2012 --splits trainval
    python tools/dataset_converters/voc.py data/clipart
    python tools/dataset_converters/voc.py data/watercolor \\
        --classes bicycle bird car cat dog person
    python tools/dataset_converters/voc.py data/sim10k --classes car

Every folder holds Annotations/*.xml, JPEGImages/ and ImageSets/Main/*.txt, as
those of VOC do; annotations/ and images/; or the xml files beside the images.
Subfolders train/, valid/ and test/ of these are splits. One file <split>.json
is written per split. Several folders go into one file, with file names from
their common parent. Images stay where they are.

VOC counts pixels from 1 and includes the last one, so a box reaches from
xmin - 1 to xmax. Its "difficult" boxes get iscrowd=1: neither training nor
evaluation counts them. The file name inside an xml file is not used. Labels of
CVAT and Label Studio count from 0: --first-pixel 0.
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
    add('roots', type=Path, nargs='+', help='has Annotations and JPEGImages')
    add(
        '--out',
        type=Path,
        help='folder to write (default: annotations/ in the source folder, '
        'or in the common parent of several)',
    )
    add(
        '--classes',
        nargs='+',
        metavar='LABEL[=CLASS]',
        help='labels to keep, renamed where =CLASS says so; the order of the '
        'classes gives the category ids 1, 2, ... (default: the 20 of '
        'PASCAL VOC)',
    )
    add(
        '--splits',
        nargs='+',
        help='lists of ImageSets/Main, without .txt, or subfolders (default: '
        'those of train, val, valid, trainval, test that exist; where none '
        'does, every list; where there is none, one split "all")',
    )
    add(
        '--first-pixel',
        type=int,
        choices=(0, 1),
        help='number of the first pixel in the xml files (default: 1)',
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
    from da_faster.data_conversion import summary, voc
    from da_faster.errors import one_sentence

    with one_sentence():
        written = voc.convert(*options.pop('roots'), **options)
    print(summary(written))


if __name__ == '__main__':
    main()
