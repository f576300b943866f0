"""Measures how fast the paired loaders are, and if the loop waits for them.

    python benchmarks/loading.py configs/demo/da_faster_plain_demo.py

reads batches without training on them, in turn from

  one loader   over the images of both domains, with the workers of both
  one view     in place of one loader, where the target has two views
  paired       the config's two loaders
  slow target  as paired, with each target image loaded --slow times
  paired without TargetStyle, if the source's pipeline has TargetStyle

Each is read twice. The first time is without a pause and gives the images a
second. The second time has a pause of --step seconds after each batch, in
which a real loop would train. The remaining wait is the stall.
"""

import math
from argparse import Namespace

from da_faster_options import at_least, command
from speed.options import benchmark_parser


def parse_args() -> Namespace:
    parser = benchmark_parser(__doc__, repeats=3)
    parser.add_argument('config', help='a train config')
    parser.add_argument(
        '--batches',
        type=at_least(1),
        default=50,
        help='batches to read (default: 50)',
    )
    parser.add_argument(
        '--step',
        type=float,
        default=0.3,
        help='seconds of a training step (default: 0.3)',
    )
    parser.add_argument(
        '--slow',
        type=at_least(1),
        default=3,
        help='how often slow target loads an image (default: 3)',
    )
    args = parser.parse_args()
    if not 0 <= args.step < math.inf:
        parser.error(f'--step: {args.step:g} is not 0 or more')
    return args


@command
def main() -> None:
    args = parse_args()
    # Late: the package imports torch, which takes seconds.
    import numpy as np

    from da_faster.benchmarking.scores import markdown_table
    from speed.inputs import load_config
    from speed.loading import compare_loaders
    from speed.measuring import machine, ratio

    cfg = load_config(
        args.config, args.pair, args.cfg_options, need_target=True
    )
    results = compare_loaders(
        cfg, args.batches, args.step, args.slow, args.repeats
    )
    rate = {k: [r[0] for r in v] for k, v in results.items()}
    first = next(iter(results))
    workers = [
        c.num_workers
        for c in (cfg.train_dataloader, cfg.train_cfg.target_dataloader)
    ]
    print(
        f'{args.config}: {workers[0]} + {workers[1]} workers; {machine()}; '
        f'{args.repeats} rounds, median (least-most)\n'
    )
    print(
        markdown_table(
            (
                '',
                'images/s',
                f'to {first}',
                f'wait beside a step of {args.step} s',
            ),
            *(
                (
                    name,
                    f'{np.median(rate[name]):.1f}',
                    ratio(rate[name], rate[first]),
                    f'{1000 * np.median([r[1] for r in v]):.1f} ms',
                )
                for name, v in results.items()
            ),
        )
    )


if __name__ == '__main__':
    main()
