"""One picture of what a config trains on, after its training pipelines.

    python tools/browse_domains.py CONFIG --out browse.png

The upper row is source images with their boxes, the lower one target images;
each comes twice. Left: as the pipeline gives it. Right: as the detector gets
it, normalised and padded, shown in the way that weights from ImageNet read it.
Both should look alike: colours that are off on the right mean a wrong mean,
std or channel order; a strip of one colour is padding. Sizes in the titles are
those that the detector sees.
"""

import argparse
from collections.abc import Sequence

from da_faster_options import KeyValue


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('config', help='config file path')
    add('--out', default='browse.png', help='the picture')
    add('--num', type=int, default=3, help='images a domain')
    add('--seed', type=int, default=0)
    add(
        '--cfg-options',
        nargs='+',
        action=KeyValue,
        help='override settings of the config, as of train.py',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # torch is imported after the options are parsed: it takes seconds.
    from da_faster.apis import load_config
    from da_faster.errors import one_sentence
    from da_faster.visualization import browse

    with one_sentence():
        cfg = load_config(args.config, args.cfg_options)
        print(browse(cfg, args.out, args.num, args.seed))
    print(f'written to {args.out}')


if __name__ == '__main__':
    main()
