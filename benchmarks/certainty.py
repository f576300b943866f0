"""How sure is a gain of AP50, had fewer images of the target been labelled?

    python benchmarks/certainty.py work_dirs/adaptation/demo style

Reads the finished runs of benchmarks/adaptation.py. Draws --images images of
the target's test set 1,000 times. Prints the 90 % confidence interval that the
gain over --baseline would have had over seeds and images, how much of it is of
the images alone, and in how many draws the method wins.
"""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('folder', help='what adaptation.py wrote for a pair')
    add('method')
    add('--baseline', default='source-only')
    add('--images', type=int, nargs='+', default=[5, 10, 20, 30])
    args = parser.parse_args()
    if min(args.images) < 1:
        parser.error('--images: it takes at least 1')
    if args.method == args.baseline:
        parser.error('METHOD and --baseline are the same')

    # Late, as these imports take seconds.
    from da_faster.benchmarking.adaptation import finished
    from da_faster.benchmarking.certainty import measure_gain
    from da_faster.benchmarking.speed import table
    from da_faster.errors import UserError, one_sentence

    with one_sentence():
        ours, theirs = finished(
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
    print(table(head, *rows))


if __name__ == '__main__':
    main()
