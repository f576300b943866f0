"""Turns an adapted detector into a stock MMDetection one, config and weights.

    python tools/model_converters/to_stock.py CONFIG CHECKPOINT OUT.pth

writes OUT.pth and OUT.py (into a folder OUT: with the config's name), which
MMDetection loads and trains where da_faster is not installed, with the same
predictions. Domain classifiers, optimizer, schedulers and logs are left out.

da_faster.checkpoint_conversion.stock_config says what becomes of each class.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import KeyValue


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('config', type=Path, help="the adapted model's config")
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('out', type=Path, help='OUT.pth, or a folder')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValue,
        help='override settings of the config, xxx=yyy',
    )
    parser.add_argument(
        '--force', action='store_true', help='replace an earlier result'
    )
    parser.add_argument(
        '--trust-checkpoint',
        dest='trust',
        action='store_true',
        help='unpickle the checkpoint, which can run ANY code it contains; '
        'only for files of people you trust',
    )
    parser.add_argument(
        '--student',
        action='store_true',
        help="of a MeanTeacher, the student's weights, not the teacher's",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)

    # Late, as these imports take seconds.
    from da_faster.checkpoint_conversion import convert_to_stock
    from da_faster.errors import one_sentence

    with one_sentence():
        done = convert_to_stock(**vars(args))
    print(
        f'{done.checkpoint} and {done.config.name}: {done.tensors} tensors; '
        f'{", ".join(done.changes) or "nothing to replace"}'
    )


if __name__ == '__main__':
    main()
