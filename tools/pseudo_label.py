"""Labels a folder of images with a detector, for another one to learn from.

    python tools/pseudo_label.py CONFIG CHECKPOINT FOLDER --out target.json

writes the boxes that the detector is sure of as a COCO json, marked as
pseudo-labels. docs/adapt.md shows a config that trains on them.
"""

import argparse
from collections import Counter
from collections.abc import Sequence


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('config', help='a config file, or mmdet::NAME, or da_faster::NAME')
    add('checkpoint', help='its checkpoint: a file, or a URL')
    add('folder', help='images')
    add('--out', required=True, help='the COCO json to write')
    add(
        '--threshold',
        type=float,
        help='lowest score of a label (default: 0.5, of a detector with '
        'sigmoid scores 0.4)',
    )
    add('--force', action='store_true', help='replace an earlier file')
    add(
        '--trust-checkpoint',
        action='store_true',
        help='load a checkpoint that holds more than weights, which may run '
        'code: only files of people you trust',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # torch is imported after the options are parsed: it takes seconds.
    from da_faster.adaptation import label_folder
    from da_faster.errors import one_sentence

    with one_sentence():
        made = label_folder(**vars(args))
    counts = Counter(item['category_id'] for item in made['annotations'])
    named = ', '.join(
        f'{category["name"]} {counts[category["id"]]}'
        for category in made['categories']
    )
    print(
        f'{args.out}: {len(made["images"])} images, '
        f'{len(made["annotations"])} boxes ({named})'
    )


if __name__ == '__main__':
    main()
