"""Detects objects in images and videos, draws them and writes a COCO json.

    python tools/predict.py CONFIG CHECKPOINT INPUT [INPUT ...] --out FOLDER

INPUT is an image, a folder, a glob in quotes or a video. --beside CONFIG
CHECKPOINT draws another detector next to the first. The detector is any of
MMDetection or of this project.
"""

from argparse import Namespace
from collections.abc import Sequence

from da_faster_options import CommandParser, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    parser.add_detector()
    add(
        'inputs',
        nargs='+',
        metavar='INPUT',
        help='an image, a folder, a glob or a video',
    )
    parser.add_out(
        'folder to write (default: predictions)', default='predictions'
    )
    add(
        '--beside',
        nargs=2,
        action='append',
        default=[],
        metavar=('CONFIG', 'CHECKPOINT'),
        help='another detector; may be given several times',
    )
    add('--titles', nargs='+', help='titles of several detectors')
    add(
        '--score-thr',
        type=float,
        help='draw detections from this score on (default: 0.5, for a '
        'detector with sigmoid scores 0.4); the json has all detections',
    )
    add('--no-draw', action='store_true', help='write only the json')
    parser.add_student()
    parser.add_force('earlier predictions')
    parser.add_trust_checkpoint()
    return parser.parse_args(argv)


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.
    from da_faster.apis import predict

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
