"""Compares a training step with that of the plain detector.

    python benchmarks/train_step.py configs/da_faster_city2foggy.py --pair DIR

times `train_step` (preprocessing, forward, backward, optimizer) of

  stock    MMDetection's own detector, all images of both domains labelled
  ours     the config, half of the images of the target
  off      the config with its domain modules off, the same two domains

on batches of the config's own data, in turn. It prints medians, peak memory
(of the step, with weights, gradients and the optimizer's state) and ratios to
`stock`. --variants takes more: see VARIANTS in speed/step_variants.py. Hooks
do not run. The weights are random. The statistics of frozen batch norms are
measured once. The learning rate is 0.

The step of a mean_teacher config is one of self-training, with the teacher's
update. `hard` and `soft` are kinds of labels; `hard-classifiers` and
`soft-classifiers` train domain classifiers, too. A teacher with random weights
finds nothing, or far too much. So the teacher predicts, and its detections
pass the thresholds, but the student gets the boxes of the source as labels, as
many as `stock` has. The step leaves out the comparison of teacher and student
at an interval.

The last columns count what a step works on: proposals and RoIs of all passes
of the detector that learns, labels of the target, and the teacher's
detections. With random weights proposals can collapse to a few, which makes a
step look fast.
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
    parser.add_argument('config', help='a train config')
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
        help='precision of matrix products and convolutions (default: fp32); '
        'fp16 and bf16 take AmpOptimWrapper; all but fp32 need an accelerator',
    )
    parser.add_argument(
        '--variants',
        nargs='+',
        choices=VARIANTS,
        default=['stock', 'ours', 'off'],
        help='steps to time; the first is the one that the others are '
        'compared with (default: stock ours off)',
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
