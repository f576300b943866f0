"""Two detectors side by side on test images: found, missed, false alarms.

    python tools/analysis/compare_detections.py ANN_FILE IMG_DIR \\
        LEFT.bbox.json RIGHT.bbox.json --out compare.png

Each detector shows what it finds with one false alarm an image, in the mean.
The detections are what CocoMetric writes with `outfile_prefix`. Unless images
are named, they are those where LEFT and RIGHT differ most: objects that one
alone of them finds, whichever. Above each column stands the sum over the whole
test set.
"""

from argparse import Namespace
from collections.abc import Sequence

from da_faster_options import CommandParser, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    add('ann_file', help='COCO json of the test images')
    add('img_dir', help='the folder its file names are in')
    add('results', nargs='+', help='.bbox.json files')
    add('--titles', nargs='+', default=['source-only', 'adapted'])
    add('--num', type=int, default=4, help='images')
    add('--img-ids', type=int, nargs='+', help='these images instead')
    add('--score-thr', type=float, help='the same score for all instead')
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
