"""Lists a folder of unlabelled images as a COCO file without annotations.

    python tools/dataset_converters/image_folder.py data/my_target/images

TargetDataset reads a folder as it is. A list says which images those were, and
it can take part of them: --every 10 --name sample. The result is
annotations/<name>.json beside the folder, with file names relative to the
folder. Every image is decoded, so a broken download shows here and not after
hours.
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
    add('root', type=Path, help='images, in subfolders or not')
    add(
        '--out',
        type=Path,
        help='folder to write (default: annotations/ beside the folder)',
    )
    add(
        '--classes',
        nargs='+',
        metavar='LABEL[=CLASS]',
        help='labels to keep, renamed where =CLASS says so; the order of the '
        'classes gives the category ids 1, 2, ... (default: none)',
    )
    add('--name', help='of the file (default: that of the folder)')
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
        help='take each Nth (default: every image)',
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
    from da_faster.data_conversion import image_folder, summary
    from da_faster.errors import one_sentence

    with one_sentence():
        written = image_folder.convert(**options)
    print(summary(written))


if __name__ == '__main__':
    main()
