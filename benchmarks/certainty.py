"""How sure is a gain of AP50, had fewer images of the target been labelled?

    python benchmarks/certainty.py work_dirs/adaptation/demo style

Reads the finished runs of benchmarks/adaptation.py. Draws --images images of
the target's test set 1,000 times. Prints the 90 % confidence interval that the
gain over --baseline would have had over seeds and images, how much of it is of
the images alone, and in how many draws the method wins.
"""

from da_faster_options import CommandParser, at_least, command


@command
def main() -> None:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    add('folder', help='what adaptation.py wrote for a pair')
    add('method')
    add('--baseline', default='source-only')
    add('--images', type=at_least(1), nargs='+', default=[5, 10, 20, 30])
    args = parser.parse_args()
    if args.method == args.baseline:
        parser.error('METHOD and --baseline are the same')
    # Late: the package imports torch, which takes seconds.
    from da_faster.benchmarking.adaptation import finished
    from da_faster.benchmarking.certainty import measure_gain
    from da_faster.benchmarking.scores import markdown_table
    from da_faster.errors import UserError

    ours, theirs = finished(args.folder, (args.method, args.baseline)).values()
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
                f'{gain.mean:+.1f} ± {gain.half:.1f}',
                f'± {gain.of_images:.1f}',
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
