"""Seconds an image in testing, and the seconds of COCO's evaluation.

    python benchmarks/evaluation.py configs/demo/da_faster_plain_demo.py

tests a detector of random weights on the config's test images: loading and
detection, an image at a time. Then it gives `--images` generated images, with
boxes and with detections near and far from them, to MMDetection's CocoMetric
(pycocotools) and, where faster-coco-eval is installed, to its
FasterCocoMetric, and says by how much the precisions differ that their figures
are means of: of each IoU threshold, recall, class, area and number of
detections. Many detections have equal scores.
"""

from argparse import Namespace

from da_faster_options import at_least, command
from speed.options import benchmark_parser


def parse_args() -> Namespace:
    parser = benchmark_parser(__doc__, repeats=3)
    parser.add_argument('config', help='train config file path')
    parser.add_argument('--images', type=at_least(1), default=500)
    parser.add_argument(
        '--limit',
        type=at_least(1),
        default=50,
        help='test images to time, after one to warm up',
    )
    return parser.parse_args()


@command
def main() -> None:
    args = parse_args()
    # Late: the package imports torch, which takes seconds.
    import numpy as np

    from da_faster.benchmarking.scores import markdown_table
    from speed.evaluation import compare_metrics, time_images
    from speed.inputs import load_config
    from speed.measuring import machine, ratio

    cfg = load_config(args.config, args.pair, args.cfg_options)
    spent = time_images(cfg, args.limit)
    print(f'{args.config}; {machine()}; {len(spent["loading"])} images\n')
    print(
        markdown_table(
            ('part', 'ms an image'),
            *(
                (part, f'{1000 * np.median(v):.0f}')
                for part, v in spent.items()
            ),
        )
    )

    classes = cfg.test_dataloader.dataset.metainfo['classes']
    time, difference, boxes = compare_metrics(
        classes, args.images, args.repeats
    )
    if len(time) == 1:
        print('\nfaster-coco-eval is not installed: not compared.')
    print(
        f'\nCOCO evaluation of {args.images} images, {len(classes)} '
        f'classes, {boxes} boxes, 100 detections an image\n'
    )
    first = 'CocoMetric'
    print(
        markdown_table(
            ('metric', 's', f'to {first}', 'largest difference'),
            *(
                (
                    name,
                    f'{np.median(v):.2f}',
                    ratio(v, time[first]),
                    f'{difference[name]:.1g}',
                )
                for name, v in time.items()
            ),
        )
    )


if __name__ == '__main__':
    main()
