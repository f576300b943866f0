"""Writes one HTML page about finished runs, to open by a double click.

    python tools/analysis/report.py WORK_DIR [WORK_DIR ...] --out report.html

Put the baseline first. The page says what the last run gained over the first,
leaving oracles and controls aside. A folder with a work dir for each seed
(METHOD/seed0, as benchmarks/adaptation.py makes them) is one method.

The page needs the detections of the labelled target images. A work dir of
tools/train.py does not have them: the command then says how to make them.
"""

from argparse import Namespace
from collections.abc import Sequence

from da_faster_options import CommandParser, at_least, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    add(
        'work_dirs',
        nargs='+',
        metavar='WORK_DIR',
        help='work dirs of trainings',
    )
    parser.add_out('the page (default: report.html)', default='report.html')
    add(
        '--images',
        type=at_least(0),
        default=3,
        help='how many target images to show where the runs differ most, in '
        'each direction (default: 3)',
    )
    add(
        '--source-labels',
        metavar='FILE',
        help='COCO json of source images that no run trained on: the last '
        'weights of each run are tested there, too, which takes a while',
    )
    add(
        '--source-images',
        metavar='FOLDER',
        help='folder that the file names of --source-labels are relative to '
        "(default: the folder of the first run's training images)",
    )
    parser.add_trust_checkpoint()
    return parser.parse_args(argv)


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.
    from da_faster.reporting import report

    done = report(
        args.work_dirs,
        args.out,
        args.images,
        source_labels=args.source_labels,
        source_images=args.source_images,
        trust_checkpoint=args.trust_checkpoint,
    )
    for note in done.notes:
        print(note)
    print(f'{done.sentence}\n{args.out}')


if __name__ == '__main__':
    main()
