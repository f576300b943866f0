"""Draws what a config trains on, after its training pipelines.

    python tools/browse_domains.py CONFIG --out browse.png

The upper row shows source images with their boxes. The lower row shows target
images. Each image comes twice. On the left it is as the pipeline gives it. On
the right it is as the detector gets it: normalised and padded, and shown as
weights from ImageNet read it. Both should look alike. Wrong colours on the
right mean a wrong mean, std or channel order. A strip of one colour is
padding. The titles give the sizes that the detector sees.
"""

from argparse import Namespace
from collections.abc import Sequence

from da_faster_options import CommandParser, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    add('config', help='config file path')
    parser.add_out('the picture (default: browse.png)', default='browse.png')
    add(
        '--num',
        type=int,
        default=3,
        help='images of each domain (default: 3)',
    )
    add(
        '--seed',
        type=int,
        default=0,
        help='seed of the choice of images (default: 0)',
    )
    parser.add_cfg_options()
    return parser.parse_args(argv)


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.
    from da_faster.apis import load_config
    from da_faster.visualization import browse

    cfg = load_config(args.config, args.cfg_options)
    print(browse(cfg, args.out, args.num, args.seed))
    print(f'written to {args.out}')


if __name__ == '__main__':
    main()
