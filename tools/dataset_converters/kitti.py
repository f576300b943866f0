"""Converts KITTI's object detection benchmark to a COCO annotation file.

    python tools/dataset_converters/kitti.py data/kitti
    python tools/dataset_converters/kitti.py data/kitti --classes \\
        Pedestrian=person Cyclist=rider Car=car Truck=truck Tram=train

The folder holds training/image_2/000000.png ... and training/label_2/*.txt.
The result is annotations/trainval.json with all labelled images (7,481 in the
publisher's set; the labels of its testing/ are not public), and train.json and
val.json where ImageSets/train.txt and val.txt list their numbers, one a line.

Corners in label_2 count pixels from 0.  DontCare regions are left out.
"""
from functools import partial
from pathlib import Path
from typing import Optional, Sequence

from common import (Box, ConversionError, Sample, add_classes, build_splits,
                    class_map, finite, image_size, output_parser, read_lines,
                    refuse_existing, track, write_splits)

LABELS = ('Car', 'Van', 'Truck', 'Pedestrian', 'Person_sitting', 'Cyclist',
          'Tram', 'Misc', 'DontCare')


def read_sample(number: str, root: Path) -> Sample:
    """One image and its label file."""
    image = root / 'image_2' / f'{number}.png'
    path = root / 'label_2' / f'{number}.txt'
    lines = read_lines(path, 'complete the download of label_2.')
    boxes = []
    for at, line in enumerate(lines, 1):
        # type truncated occluded alpha left top right bottom, then 3D.
        fields = line.split()
        if not fields:
            continue
        try:
            if len(fields) < 15:
                raise ValueError(f'{len(fields)} values, not 15')
            if fields[0] not in LABELS:
                raise ValueError(f'unknown class {fields[0]}')
            boxes.append(Box(fields[0], *finite(*fields[4:8])))
        except ValueError as error:
            raise ConversionError(f'{path} is broken at line {at} ({error}): '
                                  'unpack data_object_label_2.zip again.')
    return Sample(image.name, image_size(image), boxes)


def main(argv: Optional[Sequence[str]] = None) -> None:
    parser = output_parser(__doc__, 'annotations/ in the source folder')
    add_classes(parser, ('Car=car', ))
    add = parser.add_argument
    add('root', type=Path, help='has training/image_2 and training/label_2')
    add('--splits',
        nargs='+',
        help='lists of ImageSets, without .txt (default: trainval, all images '
        'where there is no such list, and train and val where there is)')
    args = parser.parse_args(argv)
    names = class_map(args.classes)
    for label in names:
        if label not in LABELS:
            raise ConversionError(f'--classes {label}: KITTI has '
                                  f'{", ".join(LABELS)}.')
    root = args.root / 'training'
    out = args.out or args.root / 'annotations'
    lists = args.root / 'ImageSets'
    splits = args.splits or ['trainval'] + [
        split for split in ('train', 'val')
        if (lists / f'{split}.txt').is_file()
    ]
    refuse_existing(out, splits, args.force)

    everything = sorted(path.stem for path in root.glob('label_2/*.txt'))
    if not everything:
        raise ConversionError(f'{root} holds no label_2/*.txt: unpack '
                              'data_object_label_2.zip there.')
    numbers = {}
    for split in splits:
        path = lists / f'{split}.txt'
        numbers[split] = everything
        if split != 'trainval' or path.exists():
            numbers[split] = ' '.join(
                read_lines(path, 'name another of --splits.')).split()
    unique = sorted(set(sum(numbers.values(), [])))
    samples = dict(
        zip(unique,
            track(partial(read_sample, root=root), unique, args.nproc)))
    write_splits(
        build_splits(
            {split: [samples[number] for number in some]
             for split, some in numbers.items()}, names), out, args.force)


if __name__ == '__main__':
    main()
