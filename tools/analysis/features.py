"""Measures how far the features of source and target are apart.

    python tools/analysis/features.py CONFIG CHECKPOINT [CONFIG CHECKPOINT ...]

draws the features of images and of detected boxes as points (t-SNE), with a
column for each detector. It also measures how well a linear classifier tells
source from target (proxy A-distance, with a 90 % interval). All detectors see
the images of the last config. No label is read.
"""

from argparse import Namespace
from collections.abc import Sequence

from da_faster_options import CommandParser, at_least, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    add(
        'detectors',
        nargs='+',
        metavar='CONFIG CHECKPOINT',
        help='config files, mmdet::NAME or da_faster::NAME, each with its '
        'checkpoint: a file, or a URL',
    )
    parser.add_out(
        'the picture (default: features.png)', default='features.png'
    )
    add('--titles', nargs='+', help='titles of the detectors')
    add(
        '--num',
        type=at_least(2),
        default=100,
        help='most images of a domain (default: 100)',
    )
    add(
        '--boxes',
        type=at_least(1),
        default=5,
        help='boxes with the highest scores in an image (default: 5)',
    )
    add('--seed', type=at_least(0), default=0, help='seed (default: 0)')
    add(
        '--source',
        metavar='FOLDER',
        help='source images (default: those that the last config trains on)',
    )
    add(
        '--target',
        metavar='FOLDER',
        help='target images (default: those of the last config, in its '
        'target_dataloader or else in its test set)',
    )
    parser.add_student()
    parser.add_trust_checkpoint()
    args = parser.parse_args(argv)
    if len(args.detectors) % 2:
        parser.error('give a checkpoint for each config')
    return args


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.

    from da_faster.features import measure
    from da_faster.features.command import READING

    done = measure(
        list(zip(args.detectors[::2], args.detectors[1::2])),
        args.out,
        num=args.num,
        boxes=args.boxes,
        seed=args.seed,
        titles=args.titles,
        source=args.source,
        target=args.target,
        student=args.student,
        trust_checkpoint=args.trust_checkpoint,
    )
    for note in done.notes:
        print(note)
    for detector in done.detectors:
        print(f'A-distance of {detector}')
    print(f'{READING}\n{done.picture} and {done.numbers}')


if __name__ == '__main__':
    main()
