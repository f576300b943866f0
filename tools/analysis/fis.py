"""Ranks checkpoints by how steady their detections are, without labels.

    python tools/analysis/fis.py FOLDER WORK_DIR [WORK_DIR ...]

moves the weights of every checkpoint a little, at random, and measures how
much the detections on the folder's images change (FIS, of DAS, NeurIPS 2024).
Lower is steadier. docs/adapt.md says how well that tells the better one.
"""

import argparse
import math
from collections.abc import Sequence


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('folder', help='images of the target')
    add('work_dirs', nargs='+', metavar='WORK_DIR', help='of trainings')
    add('--num', type=int, default=20, help='images to look at (default: 20)')
    add(
        '--scores',
        metavar='FILE',
        help='scores.json of benchmarks/adaptation.py: print the rank '
        'correlation with AP50, too',
    )
    add(
        '--trust-checkpoint',
        action='store_true',
        help='load checkpoints that hold more than weights, which may run '
        'code: only files of people you trust',
    )
    args = parser.parse_args(argv)
    if args.num < 1:
        parser.error('--num: it takes at least 1')
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # torch is imported after the options are parsed: it takes seconds.
    from da_faster.adaptation import correlation, rank
    from da_faster.errors import one_sentence

    with one_sentence():
        ranked = rank(
            args.folder,
            args.work_dirs,
            args.num,
            args.scores,
            args.trust_checkpoint,
        )
    for item in ranked:
        ap50 = '' if math.isnan(item.ap50) else f'  AP50 {item.ap50:.1f}'
        print(f'FIS {item.fis:.3f}{ap50}  {item.checkpoint}')
    if args.scores:
        print(f'rank correlation with AP50: {correlation(ranked):+.2f}')


if __name__ == '__main__':
    main()
