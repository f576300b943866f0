"""Writes one HTML page about finished runs, to open by a double click.

    python tools/analysis/report.py WORK_DIR [WORK_DIR ...] --out report.html

Put the run that is to be beaten first; the page says what the last one gained
over it, leaving oracles and controls aside. A folder with a work dir for each
seed (METHOD/seed0, as benchmarks/adaptation.py makes them) is one method.

The page needs the detections of the labelled target images, which a work dir
of tools/train.py does not have: the command then says how to make them.
"""

import argparse
from collections.abc import Sequence


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('work_dirs', nargs='+', metavar='WORK_DIR', help='of trainings')
    add('--out', default='report.html', help='default: report.html')
    add(
        '--images',
        type=int,
        default=3,
        help='target images where the runs differ most, in each direction '
        '(default: 3)',
    )
    add(
        '--source-labels',
        metavar='FILE',
        help='COCO json of source images that nobody trained on: the last '
        'weights of each run detect there, too, which takes a while',
    )
    add(
        '--source-images',
        metavar='FOLDER',
        help='what its file names are relative to (default: the folder of '
        "the first run's training images)",
    )
    add(
        '--trust-checkpoint',
        action='store_true',
        help='load checkpoints that hold more than weights, which may run '
        'code: only files of people you trust',
    )
    args = parser.parse_args(argv)
    if args.images < 0:
        parser.error('--images: it takes at least 0')
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # torch is imported after the options are parsed: it takes seconds.
    from da_faster.errors import one_sentence
    from da_faster.reporting import report

    with one_sentence():
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
