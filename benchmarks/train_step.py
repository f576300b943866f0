"""A training step beside that of the detector underneath.

    python benchmarks/train_step.py configs/da_faster_city2foggy.py --pair DIR

times `train_step` (preprocessing, forward, backward, optimizer) of

  stock    MMDetection's own detector, all images of both domains labelled
  ours     the config, half of the images of the target
  off      the config with its domain modules off, the same two domains

on batches of the config's own data, in turn, and prints medians, peak memory
(the step's, with weights, gradients and the optimizer's state) and ratios to
`stock`. More, with --variants: see VARIANTS in
speed/step_variants.py. Hooks do not run. The weights are random, the
statistics of frozen batch norms measured once, the learning rate is 0.

Of a mean_teacher config the step is one of self-training, with the teacher's
update. `hard`, `soft`, `hard-classifiers` and `soft-classifiers` are its kinds
of labels, the latter two with domain classifiers that train along. A teacher
of random weights finds nothing, or far too much. So it predicts, and its
detections pass the thresholds, but the student gets the source's boxes for
labels, as many as `stock` has. The comparison of teacher and student, now and
then, is left out.

The last columns are what a step works on: proposals and RoIs of all passes of
the detector that learns, labels of the target, and what the teacher detected.
Random weights can let proposals collapse to a few, which flatters a step.
"""

from argparse import Namespace

from da_faster_options import at_least, command
from speed.options import benchmark_parser

# Names of VARIANTS in speed/step_variants.py, whose import is slow.
VARIANTS = (
    'stock',
    'ours',
    'off',
    'no-consistency',
    'image',
    'every-second-cell',
    'fresh-dropout',
    'frozen-norms',
    'two-passes',
    'own-padding',
    'hard',
    'soft',
    'hard-classifiers',
    'soft-classifiers',
    'channels-last',
    'compile',
    'foreach',
    'for-loop',
    'fused',
)

WORK = ('proposals', 'RoIs', 'labels', 'found')


def parse_args() -> Namespace:
    parser = benchmark_parser(__doc__, repeats=5)
    parser.add_argument('config', help='train config file path')
    parser.add_argument(
        '--images',
        type=at_least(1),
        default=1,
        help='images of each domain in a batch (default: 1)',
    )
    parser.add_argument(
        '--precision',
        choices=['fp32', 'tf32', 'fp16', 'bf16'],
        default='fp32',
        help='of matrix products and convolutions; fp16 and bf16 by '
        'AmpOptimWrapper. All but fp32 need an accelerator',
    )
    parser.add_argument(
        '--variants',
        nargs='+',
        choices=VARIANTS,
        default=['stock', 'ours', 'off'],
        help='the first is what the others are compared with',
    )
    return parser.parse_args()


@command
def main() -> None:
    args = parse_args()
    # Late: the package imports torch, which takes seconds.
    import numpy as np

    from da_faster.benchmarking.scores import markdown_table
    from speed.inputs import load_config
    from speed.measuring import machine, ratio
    from speed.train_step import compare_steps, set_precision

    cfg = load_config(
        args.config, args.pair, args.cfg_options, need_target=True
    )
    set_precision(cfg, args.precision)
    time, memory, sizes, work = compare_steps(
        cfg, args.images, args.variants, args.repeats
    )
    first = args.variants[0]
    shapes = ', '.join(f'{height}x{width}' for height, width in sizes)
    print(
        f'{args.config}: {args.images} + {args.images} images ({shapes}); '
        f'{args.precision}; {machine()}; {args.repeats} rounds, median '
        '(least-most)\n'
    )
    print(
        markdown_table(
            (
                'step',
                's',
                f'time / {first}',
                'peak MiB',
                f'memory / {first}',
                *WORK,
            ),
            *(
                (
                    name,
                    f'{np.median(time[name]):.3f}',
                    ratio(time[name], time[first]),
                    f'{memory[name] / 2**20:.0f}',
                    f'{memory[name] / memory[first]:.3f}',
                    *(work[name].get(kind, '') for kind in WORK),
                )
                for name in args.variants
            ),
        )
    )


if __name__ == '__main__':
    main()
