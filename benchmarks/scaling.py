"""Measures how a training step grows with the number and size of images.

    python benchmarks/scaling.py configs/demo/da_faster_plain_demo.py

times `train_step`, as train_step.py does. It takes each number of --images of
each domain, and then images whose width and height are multiplied by each of
--factors. It prints a table and draws time and peak memory against the pixels
of a step.
"""

from argparse import Namespace
from pathlib import Path

from da_faster_options import at_least, command
from speed.options import benchmark_parser

ROOT = Path(__file__).parents[1]


def parse_args() -> Namespace:
    parser = benchmark_parser(__doc__, repeats=5)
    parser.add_argument('config', help='a train config')
    parser.add_argument(
        '--images',
        type=at_least(1),
        nargs='+',
        default=[1, 2, 4, 8],
        metavar='N',
        help='images of each domain in a step (default: 1 2 4 8)',
    )
    parser.add_argument(
        '--factors',
        type=float,
        nargs='+',
        default=[0.5, 0.75, 1.5, 2.0],
        metavar='F',
        help='factors of width and height, with the first number of --images '
        '(default: 0.5 0.75 1.5 2)',
    )
    parser.add_out(
        'the picture, relative to the repository (default: '
        'work_dirs/scaling.png)',
        default='work_dirs/scaling.png',
    )
    args = parser.parse_args()
    if not all(0.1 <= factor <= 10 for factor in args.factors):
        parser.error('--factors: each takes a number from 0.1 to 10')
    return args


@command
def main() -> None:
    args = parse_args()
    # Late: the package imports torch, which takes seconds.
    from da_faster.benchmarking.scores import markdown_table
    from da_faster.visualization.figures import save_figure
    from speed.inputs import load_config
    from speed.measuring import machine
    from speed.scaling import draw, measure

    path = ROOT / args.out
    cfg = load_config(
        args.config, args.pair, args.cfg_options, need_target=True
    )
    points = measure(cfg, args.images, args.factors, args.repeats)
    print(f'{args.config}: {machine()}; medians of {args.repeats} rounds\n')
    print(
        markdown_table(
            ('images', 'size', 'Mpx', 's', 's / Mpx', 'MiB', 'MiB / Mpx'),
            *(
                (
                    f'{p.images} + {p.images}',
                    f'{p.width}x{p.height}',
                    f'{p.megapixels:.2f}',
                    f'{p.seconds:.3f}',
                    f'{p.seconds / p.megapixels:.2f}',
                    f'{p.bytes / 2**20:.0f}',
                    f'{p.bytes / 2**20 / p.megapixels:.0f}',
                )
                for p in points
            ),
        )
    )
    # Last: a wrong --out costs no measurement.
    save_figure(draw(points), str(path))
    print(f'\npicture: {path}')


if __name__ == '__main__':
    main()
