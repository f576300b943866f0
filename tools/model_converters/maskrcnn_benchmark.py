"""Converts a checkpoint of the maskrcnn-benchmark port of DA Faster R-CNN.

    python tools/model_converters/maskrcnn_benchmark.py SRC.pth OUT.pth

SRC is a model_*.pth of github.com/krumo/Domain-Adaptive-Faster-RCNN-PyTorch,
R50-C4. Evaluate OUT with the config of --config, which has the port's anchors
and RoIAlign. A checkpoint that was trained without domain adaptation is
converted as well; the result then has no domain classifiers.

The port numbers the classes by the category ids of its training json. The
port's Cityscapes converter gives the order person, rider, car, truck, bus,
train, motorcycle, bicycle, which is also the order here. If your json differs,
print `[c['name'] for c in sorted(json['categories'], key=lambda c: c['id'])]`
and give the names with --classes.
"""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command

CONFIG = (
    Path(__file__).parents[2]
    / 'configs/city2foggy/da_faster_city2foggy_maskrcnn_benchmark.py'
)


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    parser.add_argument('src', type=Path, help="the port's checkpoint")
    parser.add_argument('out', type=Path, help='the checkpoint to write')
    parser.add_argument(
        '--classes',
        nargs='+',
        metavar='NAME',
        help="class names in the checkpoint's order (default: the config's)",
    )
    parser.add_argument(
        '--config', type=Path, default=CONFIG, help=f'default: {CONFIG.name}'
    )
    parser.add_cfg_options()
    parser.add_force()
    parser.add_trust_checkpoint()
    return parser.parse_args(argv)


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.
    from da_faster.checkpoint_conversion import convert_maskrcnn_benchmark

    done = convert_maskrcnn_benchmark(**vars(args))
    domains = (
        'with domain classifiers'
        if done.adapted
        else 'without domain classifiers: a source-only checkpoint'
    )
    print(
        f'{args.out}: {done.tensors} tensors, {done.classes} classes, '
        f'{domains}; for {args.config}'
    )


if __name__ == '__main__':
    main()
