"""Turns an adapted detector into a stock MMDetection one, config and weights.

    python tools/model_converters/to_stock.py CONFIG CHECKPOINT OUT.pth

writes OUT.pth and OUT.py (into a folder OUT: with the config's name), which
MMDetection loads and trains where da_faster is not installed, with the same
predictions. Domain classifiers, optimizer, schedulers and logs are left out.

da_faster.checkpoint_conversion.stock_config says what becomes of each class.
"""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    parser.add_argument('config', type=Path, help="the adapted model's config")
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('out', type=Path, help='OUT.pth, or a folder')
    parser.add_cfg_options()
    parser.add_force()
    parser.add_trust_checkpoint(dest='trust')
    parser.add_student()
    return parser.parse_args(argv)


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.
    from da_faster.checkpoint_conversion import convert_to_stock

    done = convert_to_stock(**vars(args))
    print(
        f'{done.checkpoint} and {done.config.name}: {done.tensors} tensors; '
        f'{", ".join(done.changes) or "nothing to replace"}'
    )


if __name__ == '__main__':
    main()
