"""Converts the detection labels of BDD100K to COCO annotation files.

    python tools/dataset_converters/bdd100k.py data/bdd100k \\
        --timeofday daytime
    python tools/dataset_converters/bdd100k.py data/bdd100k --timeofday night

The folder holds images/100k/{train,val}/*.jpg and either the labels of 2018,
labels/bdd100k_labels_images_{train,val}.json, or those of 2020,
labels/det_20/det_{train,val}.json.  The result is
annotations/{train,val}_daytime.json and so on; without --timeofday
annotations/{train,val}.json with all images.

The default classes are the eight of Cityscapes, which BDD100K has all of.
Images without a label count too.  Lanes and drivable areas have no box and
are passed over.
"""
from functools import partial
from pathlib import Path
from typing import List, Optional, Sequence

from common import (Box, ConversionError, Sample, add_classes, build_splits,
                    class_map, finite, image_size, output_parser, read_json,
                    refuse_existing, track, write_splits)

# Names of 2018 and of 2020; Cityscapes' order.
CLASSES = ('person', 'rider', 'car', 'truck', 'bus', 'train',
           'motor=motorcycle', 'bike=bicycle', 'pedestrian=person',
           'motorcycle', 'bicycle')
SPLITS = ('train', 'val')
TIMES = ('daytime', 'night', 'dawn/dusk')
FILES = ('labels/bdd100k_labels_images_{}.json', 'labels/det_20/det_{}.json',
         'bdd100k_labels_images_{}.json', 'det_{}.json')


def find_labels(root: Path, split: str) -> Path:
    """The label file of a split."""
    paths = [root / name.format(split) for name in FILES]
    for path in paths:
        if path.is_file():
            return path
    raise ConversionError(f'{paths[0]} is missing, and so is {paths[1]}: '
                          'unpack the detection labels there.')


def read_frames(path: Path, timeofday: Optional[str]) -> List[dict]:
    """The frames of a label file, in the order of their names."""
    frames = read_json(path)
    try:
        frames = sorted(frames, key=lambda frame: frame['name'])
        if timeofday:
            frames = [
                frame for frame in frames
                if frame['attributes']['timeofday'] == timeofday
            ]
    except (KeyError, TypeError) as error:
        raise ConversionError(
            f'{path} is not a list of frames with a name and attributes '
            f'({error!r}): give the labels of BDD100K, not a COCO file made '
            'of them.')
    return frames


def read_sample(frame: dict, images: Path, labels: Path) -> Sample:
    """One image and its frame in the label file."""
    boxes = []
    try:
        for label in frame.get('labels') or ():
            if label.get('box2d') is None:
                continue
            box = label['box2d']
            boxes.append(
                Box(str(label['category']),
                    *finite(*(box[key] for key in ('x1', 'y1', 'x2', 'y2')))))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConversionError(f'{labels} is broken at {frame["name"]} '
                              f'({error!r}): unpack the labels again.')
    return Sample(frame['name'], image_size(images / frame['name']), boxes)


def main(argv: Optional[Sequence[str]] = None) -> None:
    parser = output_parser(__doc__, 'annotations/ in the source folder')
    add_classes(parser, CLASSES)
    add = parser.add_argument
    add('root', type=Path, help='has images/100k and labels')
    add('--splits', nargs='+', choices=SPLITS, default=SPLITS)
    add('--timeofday', choices=TIMES, help='only images of this time')
    args = parser.parse_args(argv)
    out = args.out or args.root / 'annotations'
    ending = f'_{args.timeofday.replace("/", "_")}' if args.timeofday else ''
    files = {split: f'{split}{ending}' for split in args.splits}
    refuse_existing(out, files.values(), args.force)

    samples = {}
    for split, name in files.items():
        path = find_labels(args.root, split)
        samples[name] = track(
            partial(
                read_sample,
                images=args.root / 'images' / '100k' / split,
                labels=path), read_frames(path, args.timeofday), args.nproc)
    write_splits(
        build_splits(samples, class_map(args.classes)), out, args.force)


if __name__ == '__main__':
    main()
