"""Converts Cityscapes, or Foggy Cityscapes, to COCO annotation files.

    python tools/dataset_converters/cityscapes.py data/cityscapes
    python tools/dataset_converters/cityscapes.py data/cityscapes \\
        --foggy data/foggy_cityscapes --beta 0.02

The first command reads leftImg8bit/ and gtFine/ and writes
data/cityscapes/annotations/instancesonly_filtered_gtFine_{train,val}.json.

The second reads the foggy images of leftImg8bit_foggy/, which share the labels
of the clear images. It writes data/foggy_cityscapes/annotations/
instancesonly_filtered_gtFine_{train,val}_foggy_beta_0.02.json. With --beta all
it writes such files for each of the three fogs. One more file, foggy_beta_all,
has three images of every scene: a test on it is another benchmark.

The files hold the same objects as the "instancesonly_filtered" files of
Detectron and maskrcnn-benchmark. The category ids are always in the order of
the eight classes. Regions that gtFine labels as groups (instance id below
1000) are left out, as are instances with a part of one or two pixels. A box
encloses the visible pixels of an object. "area" is the number of these pixels
and "segmentation" their mask, in run lengths.
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
        help='the folder with gtFine, and leftImg8bit without --foggy',
    )
    parser.add_out(
        'folder to write (default: annotations/ beside the images)', type=Path
    )
    add('--foggy', type=Path, help='the folder with leftImg8bit_foggy')
    add(
        '--beta',
        choices=('0.005', '0.01', '0.02', 'all'),
        help='attenuation coefficient of the fog in 1/m; needs --foggy',
    )
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import cityscapes, summary

    written = cityscapes.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
