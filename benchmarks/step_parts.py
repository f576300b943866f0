"""Measures the parts of a training iteration, as a table and a picture.

    python benchmarks/step_parts.py configs/demo/da_faster_plain_demo.py

trains for some iterations with the config's own loop, loaders and hooks, and
sums the time of each part. On an accelerator the clock stops after each part
has finished. `data` is the time that the loop waits for its batch. What the
workers load meanwhile counts only where cores are short.

A mean_teacher config trains on the target from the first iteration on. A
teacher with random weights finds nothing, or far too much. So the student gets
the boxes of the batch's source images as labels. `teacher` is what the teacher
computes. `distillation` is what the student computes for soft labels, without
its backbone. The last rows count what an iteration works on, as in
train_step.py.
"""

from argparse import Namespace
from pathlib import Path

from da_faster_options import command
from speed.options import benchmark_parser

ROOT = Path(__file__).parents[1]


def parse_args() -> Namespace:
    parser = benchmark_parser(__doc__, repeats=20)
    parser.add_argument('configs', nargs='+', help='train configs')
    parser.add_out(
        'the picture, relative to the repository (default: '
        'work_dirs/step_parts.png)',
        default='work_dirs/step_parts.png',
    )
    return parser.parse_args()


@command
def main() -> None:
    args = parse_args()
    # Late: the package imports torch, which takes seconds.
    from da_faster.benchmarking.scores import markdown_table
    from speed.inputs import load_config
    from speed.measuring import machine
    from speed.step_parts import draw, measure, used_parts

    results, works = {}, {}
    for config in args.configs:
        cfg = load_config(config, args.pair, args.cfg_options)
        name = Path(config).stem
        results[name], works[name] = measure(cfg, args.repeats)
    print(f'{machine()}; median of {args.repeats} iterations, ms (share)\n')
    rows = [('part', *results)]
    for part in used_parts(results):
        row = [part]
        for parts in results.values():
            if part in parts:
                share = 100 * parts[part] / sum(parts.values())
                row.append(f'{1000 * parts[part]:.0f} ({share:.0f} %)')
            else:
                row.append('')
        rows.append(row)
    for kind in dict.fromkeys(
        kind for work in works.values() for kind in work
    ):
        rows.append([kind, *(work.get(kind, '') for work in works.values())])
    print(markdown_table(*rows))
    path = ROOT / args.out
    path.parent.mkdir(parents=True, exist_ok=True)
    draw(results, path)
    print(f'\npicture: {path}')


if __name__ == '__main__':
    main()
