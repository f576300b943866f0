"""Lists a folder of unlabelled images as a COCO file without annotations.

    python tools/dataset_converters/image_folder.py data/my_target/images

TargetDataset also reads a folder without a list. A list keeps a record of the
images, and it can take a part of them: --every 10 --name sample. The result is
annotations/<name>.json beside the folder, with file names relative to the
folder. Every image is decoded, so that a broken download shows here and not
after hours of training.
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
        help='the folder of images, with subfolders or without',
    )
    parser.add_out(
        'folder to write (default: annotations/ beside the folder)', type=Path
    )
    parser.add_classes(default='none')
    add('--name', help='name of the file (default: the name of the folder)')
    add(
        '--suffix',
        nargs='+',
        help='endings of the files to take, case ignored (default: .png .jpg '
        '.jpeg .bmp .tif .tiff .webp)',
    )
    add(
        '--every',
        type=int,
        metavar='N',
        help='take every Nth image (default: every image)',
    )
    parser.add_skip_broken()
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import image_folder, summary

    written = image_folder.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
