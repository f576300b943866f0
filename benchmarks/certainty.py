"""How sure is a gain of AP50, had fewer images of the target been labelled?

    python benchmarks/certainty.py work_dirs/adaptation/demo style

Reads the finished runs of benchmarks/adaptation.py. Draws --images images of
the target's test set, and as many seeds as there are, 1,000 times. Prints
where 90 % of the gains over --baseline lie, and in how many draws the method
wins.
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
    add('--images', type=int, nargs='+', default=[5, 10, 20, 50, 100])
    args = parser.parse_args()
    if min(args.images) < 1:
        parser.error('--images: it takes at least 1')

    # Late, as these imports take seconds.
    from da_faster.benchmarking.adaptation import finished
    from da_faster.benchmarking.certainty import needed
    from da_faster.benchmarking.speed import table
    from da_faster.errors import one_sentence

    with one_sentence():
        runs = finished(args.folder, (args.method, args.baseline))
    rows = needed(*runs.values(), args.images)
    print(
        f'{args.method} against {args.baseline}, {args.folder}, seeds: '
        f'{len(runs[args.method])}\n'
    )
    print(table(('images', '90 % of the gains', 'the method wins'), *rows))


if __name__ == '__main__':
    main()
