"""Measures the time to the first iteration, of a fresh and a resumed run.

    python benchmarks/start_up.py configs/demo/da_faster_plain_demo.py \\
        --iteration 60000

starts `tools/train.py` as a user would. Then it starts it with `--resume auto`
on a checkpoint of --iteration, which is made from the checkpoint of the first
iteration. Both runs are killed as soon as they report an iteration.
"""

import signal
import sys
from argparse import Namespace

from da_faster_options import at_least, command
from speed.options import benchmark_parser


def parse_args() -> Namespace:
    parser = benchmark_parser(__doc__, repeats=3)
    parser.add_argument('config', help='a train config')
    parser.add_argument(
        '--iteration',
        type=at_least(1),
        default=60000,
        help='iteration to resume from (default: 60000)',
    )
    parser.add_argument(
        '--max-iters',
        type=at_least(1),
        default=70000,
        help='iterations of the whole training (default: 70000)',
    )
    return parser.parse_args()


@command
def main() -> None:
    args = parse_args()
    # A signal to end leaves no training behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Late: the package imports torch, which takes seconds.
    import numpy as np

    from da_faster.benchmarking.scores import markdown_table
    from speed.inputs import load_config
    from speed.measuring import machine
    from speed.start_up import compare_starts

    cfg = load_config(args.config, args.pair, args.cfg_options)
    results = compare_starts(cfg, args.iteration, args.max_iters, args.repeats)
    late = np.array(results['resumed']) - np.array(results['fresh'])
    print(
        f'{args.config}: to the first iteration, resumed at '
        f'{args.iteration} of {args.max_iters}; {machine()}; {args.repeats} '
        'rounds\n'
    )
    print(
        markdown_table(
            ('start', 'median s', 'least', 'most'),
            *(
                (name, f'{np.median(v):.1f}', f'{min(v):.1f}', f'{max(v):.1f}')
                for name, v in results.items()
            ),
        )
    )
    print(f'\nresumed - fresh: {np.median(late):.1f} s')


if __name__ == '__main__':
    main()
