"""Says how certain a gain of AP50 is when few target images are labelled.

    python benchmarks/certainty.py work_dirs/adaptation/demo style

Reads the finished runs of benchmarks/adaptation.py. Draws --images images of
the target's test set 1,000 times. For each number of images it prints the 90 %
confidence interval of the gain over --baseline, over seeds and images; the
part of the interval that comes from the images alone; and the fraction of
draws in which the method wins.
"""

from da_faster_options import CommandParser, at_least, command


@command
def main() -> None:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    add('folder', help='the folder that adaptation.py wrote for a pair')
    add('method', help='the method to compare, e.g. style')
    add(
        '--baseline',
        default='source-only',
        help='the method to compare with (default: source-only)',
    )
    add(
        '--images',
        type=at_least(1),
        nargs='+',
        default=[5, 10, 20, 30],
        help='numbers of labelled images (default: 5 10 20 30)',
    )
    args = parser.parse_args()
    if args.method == args.baseline:
        parser.error('METHOD and --baseline are the same')
    # Late: the package imports torch, which takes seconds.
    from da_faster.benchmarking.adaptation import scored_runs
    from da_faster.benchmarking.certainty import measure_gain
    from da_faster.benchmarking.scores import markdown_table
    from da_faster.errors import UserError

    ours, theirs = scored_runs(
        args.folder, (args.method, args.baseline)
    ).values()
    every = ours[0].num_images
    if max(args.images) > every:
        raise UserError(
            f'--images: the test set of {args.folder} has {every} images.'
        )
    rows = []
    for size in args.images:
        gain = measure_gain(ours, theirs, size)
        rows.append(
            (
                size,
                f'{gain.mean:+.1f} ± {gain.half_width:.1f}',
                f'± {gain.half_width_images:.1f}',
                f'{gain.wins:.0%}',
            )
        )
    print(
        f'{args.method} against {args.baseline}, {args.folder}, seeds: '
        f'{len(ours)}\n'
    )
    head = 'images', 'gain of AP50', 'of the images alone', 'the method wins'
    print(markdown_table(head, *rows))


if __name__ == '__main__':
    main()
