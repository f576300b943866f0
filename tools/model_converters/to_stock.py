"""Converts an adapted detector to stock MMDetection, config and weights.

    python tools/model_converters/to_stock.py CONFIG CHECKPOINT OUT.pth

writes OUT.pth and OUT.py. Where OUT is a folder, the files get the name of the
config. MMDetection loads and trains them where da_faster is not installed, and
predicts the same. Domain classifiers, optimizer, schedulers and logs are left
out.
"""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    parser.add_argument(
        'config', type=Path, help='the config of the adapted detector'
    )
    parser.add_argument('checkpoint', type=Path, help='its checkpoint')
    parser.add_argument('out', type=Path, help='OUT.pth, or a folder')
    parser.add_cfg_options()
    parser.add_force()
    parser.add_trust_checkpoint()
    parser.add_student()
    return parser.parse_args(argv)


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.
    from da_faster.detectors import convert_to_stock

    done = convert_to_stock(**vars(args))
    print(
        f'{done.checkpoint} and {done.config.name}: {done.tensors} tensors; '
        f'{", ".join(done.changes) or "nothing to replace"}'
    )


if __name__ == '__main__':
    main()
