"""Draws the detections of two detectors side by side, on test images.

    python tools/analysis/compare_detections.py ANN_FILE IMG_DIR \\
        LEFT.bbox.json RIGHT.bbox.json --out compare.png

The picture shows objects that were found or missed, and false alarms. The
score threshold of each detector gives one false alarm an image, in the mean.
The detections are the files that CocoMetric writes with `outfile_prefix`. The
images are those where LEFT and RIGHT differ most: where most objects are found
by one detector alone. Above each column stands the sum over the test set.
"""

from argparse import Namespace
from collections.abc import Sequence

from da_faster_options import CommandParser, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    add('ann_file', help='COCO json of the test images')
    add('img_dir', help='the folder that its file names are relative to')
    add('results', nargs='+', help='.bbox.json files, one per detector')
    add(
        '--titles',
        nargs='+',
        default=['source-only', 'adapted'],
        help='titles of the detectors (default: source-only adapted)',
    )
    add('--num', type=int, default=4, help='how many images (default: 4)')
    add('--img-ids', type=int, nargs='+', help='ids of the images to show')
    add(
        '--score-thr', type=float, help='one score threshold for all detectors'
    )
    parser.add_out('the picture (default: compare.png)', default='compare.png')
    return parser.parse_args(argv)


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.
    from da_faster.visualization import compare

    num = compare(
        args.ann_file,
        args.img_dir,
        args.results,
        args.titles,
        args.out,
        num=args.num,
        image_ids=args.img_ids,
        score_thr=args.score_thr,
    )
    print(f'{num} images -> {args.out}')


if __name__ == '__main__':
    main()
