"""Measures the time of testing an image, and of COCO's evaluation.

    python benchmarks/evaluation.py configs/demo/da_faster_plain_demo.py

tests a detector with random weights on the config's test images. It times
loading and detection, an image at a time. Then it evaluates `--images`
generated images that have boxes, and detections near to boxes and far from
them. It times MMDetection's CocoMetric (pycocotools) and, where
faster-coco-eval is installed, its FasterCocoMetric. It also prints the largest
difference between the precisions of the two, over IoU threshold, recall,
class, area and number of detections. Many detections have equal scores.
"""

from argparse import Namespace

from da_faster_options import at_least, command
from speed.options import benchmark_parser


def parse_args() -> Namespace:
    parser = benchmark_parser(__doc__, repeats=3)
    parser.add_argument('config', help='a train config')
    parser.add_argument(
        '--images',
        type=at_least(1),
        default=500,
        help='generated images to evaluate (default: 500)',
    )
    parser.add_argument(
        '--limit',
        type=at_least(1),
        default=50,
        help='test images to time, after one to warm up (default: 50)',
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
