"""Lists a folder of unlabelled images as a COCO file without annotations.

    python tools/dataset_converters/image_folder.py data/my_target/images

TargetDataset reads a folder as it is; a list says which images those were, and
takes part of them: --every 10 --name sample.  The result is annotations/
<name>.json beside the folder, with file names relative to the folder.  Every
image is decoded, so a broken download shows here and not after hours.
"""
from functools import partial
from pathlib import Path
from typing import Optional, Sequence

from common import (IMAGE_SUFFIXES, ConversionError, Sample, add_classes,
                    build_splits, class_map, image_size, output_parser,
                    positive, refuse_existing, track, write_splits)


def read_sample(name: str, root: Path) -> Sample:
    """One image."""
    return Sample(name, image_size(root / name))


def main(argv: Optional[Sequence[str]] = None) -> None:
    parser = output_parser(__doc__, 'annotations/ beside the folder')
    add_classes(parser, ())
    add = parser.add_argument
    add('root', type=Path, help='images, in subfolders or not')
    add('--name', help='of the file (default: that of the folder)')
    add('--suffix',
        nargs='+',
        default=IMAGE_SUFFIXES,
        help='endings of the files to take, case ignored')
    add('--every', type=positive, default=1, metavar='N', help='take each Nth')
    args = parser.parse_args(argv)
    root = args.root.resolve()
    out = args.out or args.root.parent / 'annotations'
    name = args.name or root.name
    refuse_existing(out, [name], args.force)
    endings = tuple(suffix.lower() for suffix in args.suffix)
    files = sorted(
        path.relative_to(root).as_posix() for path in root.rglob('*')
        if path.name.lower().endswith(endings) and path.is_file())
    if not files:
        raise ConversionError(
            f'{root} holds no image ({", ".join(endings)}): check the path '
            'and --suffix.')
    samples = track(
        partial(read_sample, root=root), files[::args.every], args.nproc)
    write_splits(
        build_splits({name: samples}, class_map(args.classes), labelled=False),
        out, args.force)


if __name__ == '__main__':
    main()
