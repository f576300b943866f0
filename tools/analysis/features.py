"""How far the features of source and target are apart, before and after.

    python tools/analysis/features.py CONFIG CHECKPOINT [CONFIG CHECKPOINT ...]

draws the features of images and of detected boxes as points (t-SNE), a column
for each detector, and measures how well a linear classifier tells source from
target (proxy A-distance, with a 90 % interval). All detectors see the same
images: those of the last config. No label is read.
"""

import argparse
from collections.abc import Sequence


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        'detectors',
        nargs='+',
        metavar='CONFIG CHECKPOINT',
        help='config files, mmdet::NAME or da_faster::NAME, each with its '
        'checkpoint: a file, or a URL',
    )
    add('--out', default='features.png', help='default: features.png')
    add('--titles', nargs='+', help='of the detectors')
    add(
        '--num',
        type=int,
        default=100,
        help='images of a domain at most (default: 100)',
    )
    add(
        '--boxes',
        type=int,
        default=5,
        help='boxes of an image, those with the highest scores (default: 5)',
    )
    add('--seed', type=int, default=0, help='default: 0')
    add(
        '--source',
        metavar='FOLDER',
        help='images of the source (default: those the last config trains on)',
    )
    add(
        '--target',
        metavar='FOLDER',
        help='images of the target (default: those of its target_dataloader, '
        'or else of its test set)',
    )
    add(
        '--student',
        action='store_true',
        help="of a mean teacher, the student's weights",
    )
    add(
        '--trust-checkpoint',
        action='store_true',
        help='load checkpoints that hold more than weights, which may run '
        'code: only files of people you trust',
    )
    args = parser.parse_args(argv)
    if len(args.detectors) % 2:
        parser.error('give a checkpoint for each config')
    if args.num < 2 or args.boxes < 1 or args.seed < 0:
        parser.error('--num takes at least 2, --boxes 1, --seed 0')
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # torch is imported after the options are parsed: it takes seconds.
    from da_faster.errors import one_sentence

    with one_sentence():
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
