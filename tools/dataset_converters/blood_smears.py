"""Converts two sets of blood smear photographs to one domain adaptation pair.

The source is BCCD. The target is the blood cell detection dataset of Ankara
Yildirim Beyazit University. The two were photographed and stained in different
laboratories. Both label red (RBC) and white (WBC) blood cells. BCCD's
platelets have no counterpart and are left out.

    python tools/dataset_converters/blood_smears.py BCCD_DIR SMEAR_DIR

BCCD_DIR is the folder ``BCCD`` of github.com/Shenggan/BCCD_Dataset. SMEAR_DIR
is a checkout of github.com/draaslan/blood-cell-detection-dataset, or a copy
whose annotations.csv gives the corners relative to the size of the image.

source_train is BCCD's own trainval without the photographs that overlap a test
photograph. source_test is BCCD's own test. The target has a fixed split of 30
and 30 photographs, made without a look at the labels. BCCD counts pixels from
1 and includes the last one, so a box reaches from xmin - 1 to xmax.
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
        'bccd_dir',
        type=Path,
        help='the folder with Annotations, ImageSets and JPEGImages',
    )
    add(
        'smear_dir',
        type=Path,
        help='the folder with annotations.csv and images',
    )
    parser.add_out('folder to write (default: data/blood_smears)', type=Path)
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import blood_smears, summary

    written = blood_smears.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
