"""Detects on images and videos: draws, and writes a COCO json.

    python tools/predict.py CONFIG CHECKPOINT INPUT [INPUT ...] --out FOLDER

INPUT is an image, a folder, a glob in quotes or a video. --beside CONFIG
CHECKPOINT draws another detector next to the first. Works with any run of this
project and with any detector of MMDetection.
"""

import argparse
from collections.abc import Sequence


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('config', help='a config file, or mmdet::NAME, or da_faster::NAME')
    add('checkpoint', help='its checkpoint: a file, or a URL')
    add('inputs', nargs='+', metavar='INPUT')
    add('--out', default='predictions', help='folder (default: predictions)')
    add(
        '--beside',
        nargs=2,
        action='append',
        default=[],
        metavar=('CONFIG', 'CHECKPOINT'),
        help='another detector; may be given several times',
    )
    add('--titles', nargs='+', help='of several detectors')
    add(
        '--score-thr',
        type=float,
        help='lowest score that is drawn (default: 0.5, of a detector with '
        'sigmoid scores 0.4); the json has all',
    )
    add('--no-draw', action='store_true', help='write the json alone')
    add(
        '--student',
        action='store_true',
        help="of a mean teacher, the student's weights",
    )
    add('--force', action='store_true', help='replace earlier predictions')
    add(
        '--trust-checkpoint',
        action='store_true',
        help='load checkpoints that hold more than weights, which may run '
        'code: only files of people you trust',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # torch is imported after the options are parsed: it takes seconds.
    from da_faster.apis import predict
    from da_faster.errors import one_sentence

    with one_sentence():
        written = predict(
            [(args.config, args.checkpoint), *args.beside],
            args.inputs,
            args.out,
            score_thr=args.score_thr,
            titles=args.titles,
            student=args.student,
            draw=not args.no_draw,
            force=args.force,
            trust_checkpoint=args.trust_checkpoint,
        )
    drawn = '' if args.no_draw else f'{args.out}/drawn/ and '
    print(f'{drawn}{", ".join(map(str, written))}')


if __name__ == '__main__':
    main()
