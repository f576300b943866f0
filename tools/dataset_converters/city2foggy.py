"""Generate the domain pair "city -> foggy city" as COCO datasets.

Usage::

    python tools/dataset_converters/city2foggy.py

Writes, below ``--out``::

    source/              clear, labelled, for training
    target/              foggy, other scenes than the source, for training
    target_test/         foggy, for testing
    source_test/         the scenes of target_test without the fog
    annotations/{source_train,target_train,target_test,source_test}.json

``target_train.json`` is for labelled oracles only.  The same arguments give
the same bytes, whatever the number of processes.
"""
import json
from pathlib import Path

import cv2
from common import atomic_folder, output_parser, positive, sha256, track

from da_faster.datasets.foggy_city.fog import DEFAULT_BETA, transmittance
from da_faster.datasets.foggy_city.render import CLASSES, MIN_SIZE, make_scene

# Annotation file -> (image folder, split of the generator, foggy).
PARTS = dict(
    source_train=('source', 'source', False),
    target_train=('target', 'target', True),
    target_test=('target_test', 'test', True),
    source_test=('source_test', 'test', False))


def parse_args(argv=None):
    out = Path('data/city2foggy')
    parser = output_parser(__doc__, out)
    parser.set_defaults(out=out)
    add = parser.add_argument
    add('--seed', type=int, default=0)
    add('--beta',
        type=float,
        default=DEFAULT_BETA,
        help='attenuation coefficient of the fog in 1/m')
    add('--num-source', type=positive, default=400)
    add('--num-target', type=positive, default=400)
    add('--num-test', type=positive, default=150)
    add('--size',
        type=int,
        nargs=2,
        default=(384, 192),
        metavar=('WIDTH', 'HEIGHT'))
    args = parser.parse_args(argv)
    if args.seed < 0:
        parser.error(f'--seed must not be negative, got {args.seed}')
    if args.size[0] < MIN_SIZE[0] or args.size[1] < MIN_SIZE[1]:
        parser.error(f'--size must be at least {MIN_SIZE}, got {args.size}')
    try:
        transmittance(0.0, args.beta)
    except ValueError as error:
        parser.error(str(error))
    return args


def write_scene(task):
    """Write the images of one scene.

    Args:
        task (tuple): (root, seed, split, index, size, wanted), where wanted
            maps an image folder to the beta of its images.

    Returns:
        list[tuple]: (label, box, area) of every visible object, pixels.
    """
    root, seed, split, index, size, wanted = task
    scene = make_scene(seed, split, index, size)
    for folder, beta in wanted.items():
        image = scene.photograph(beta)
        path = str(root / folder / f'{index:06d}.png')
        if not cv2.imwrite(path, image[..., ::-1]):
            raise OSError(f'{path} could not be written')
    return [(item.label, item.box, item.area) for item in scene.instances]


def to_coco(objects, size, beta, seed):
    """Turn the objects of a part into a COCO dictionary.

    Args:
        objects (list[list[tuple]]): Per image, (label, box, area).
        size (tuple[int, int]): Width and height of the images, pixels.
        beta (float): Fog of the images, 1/m.
        seed (int): Seed of the dataset.

    Returns:
        dict: Boxes as (left, top, width, height), category ids from 1.
    """
    images, annotations = [], []
    for index, items in enumerate(objects):
        images.append(
            dict(
                id=index,
                file_name=f'{index:06d}.png',
                width=size[0],
                height=size[1]))
        for label, (left, top, right, bottom), area in items:
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=index,
                    category_id=label + 1,
                    bbox=[left, top, right - left, bottom - top],
                    area=area,
                    iscrowd=0))
    return dict(
        info=dict(description='city2foggy', beta=beta, seed=seed),
        images=images,
        annotations=annotations,
        categories=[
            dict(id=label + 1, name=name) for label, name in enumerate(CLASSES)
        ])


def generate(root, args):
    """Write images and annotations below an empty folder."""
    size = tuple(args.size)
    counts = dict(
        source=args.num_source, target=args.num_target, test=args.num_test)
    tasks = []
    for split, count in counts.items():
        wanted = {
            folder: args.beta if foggy else 0.0
            for folder, of, foggy in PARTS.values() if of == split
        }
        for folder in wanted:
            (root / folder).mkdir()
        tasks += [(root, args.seed, split, index, size, wanted)
                  for index in range(count)]
    # Processes take the cores.  Set before the fork: a child that inherits
    # OpenCV's pool of threads, none of which it has, waits for them forever.
    cv2.setNumThreads(1)
    results = track(write_scene, tasks, args.nproc)

    (root / 'annotations').mkdir()
    objects = {split: [] for split in counts}
    for task, result in zip(tasks, results):
        objects[task[2]].append(result)
    for name, (_, split, foggy) in PARTS.items():
        beta = args.beta if foggy else 0.0
        coco = to_coco(objects[split], size, beta, args.seed)
        path = root / 'annotations' / f'{name}.json'
        path.write_text(
            json.dumps(coco, separators=(',', ':'), sort_keys=True))
        boxes = [item['category_id'] - 1 for item in coco['annotations']]
        share = ', '.join(f'{label} {boxes.count(number)}'
                          for number, label in enumerate(CLASSES))
        print(f'{name}: {len(coco["images"])} images, {len(boxes)} boxes '
              f'({share})\n  sha256 {sha256(path)}')


def main(argv=None):
    args = parse_args(argv)
    contents = [folder for folder, _, _ in PARTS.values()] + ['annotations']
    with atomic_folder(args.out, contents, args.force) as root:
        generate(root, args)
    print(f'written to {args.out}')


if __name__ == '__main__':
    main()
