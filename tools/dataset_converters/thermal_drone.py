"""Converts thermal images of a drone to one pair: day -> night.

    python tools/dataset_converters/thermal_drone.py HIT_UAV_DIR/normal_json

HIT_UAV_DIR is github.com/suojiashun/HIT-UAV-Infrared-Thermal-Dataset (Suo et
al., Scientific Data 10, 227, 2023; CC BY 4.0). The folder normal_json has
annotations/{train,test}.json, train/*.jpg and test/*.jpg.

The source is the day's training images. The target is the night's training
images: methods see them without labels, and night.json has their labels for
the oracle. The test is the night's test images. The first field of a file name
is 0 by day and 1 at night.

The classes are Person, Car and Bicycle. OtherVehicle is left out. A DontCare
box is an object that the annotators could not tell: it becomes iscrowd for
each class.
"""

from argparse import SUPPRESS
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command


@command
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(__doc__, argument_default=SUPPRESS)
    add = parser.add_argument
    add('root', type=Path, help='the folder normal_json of HIT-UAV')
    parser.add_out('folder to write (default: data/thermal_drone)', type=Path)
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import summary, thermal_drone

    written = thermal_drone.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
