"""Labels a folder of images with a detector, to train another one.

    python tools/pseudo_label.py CONFIG CHECKPOINT FOLDER --out target.json

writes the confident detections as a COCO json that is marked as pseudo-labels.
docs/adapt.md shows a config that trains on them.
"""

from argparse import Namespace
from collections import Counter
from collections.abc import Sequence

from da_faster_options import CommandParser, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    parser.add_detector()
    add('folder', help='the images')
    parser.add_out('the COCO json to write', required=True)
    add(
        '--threshold',
        type=float,
        help='lowest score of a label (default: 0.5, for a detector with '
        'sigmoid scores 0.4)',
    )
    parser.add_force('an earlier file')
    parser.add_trust_checkpoint()
    return parser.parse_args(argv)


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.
    from da_faster.adaptation import label_folder

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
