"""Makes four pairs on which adaptation may lose, for benchmarks/adaptation.py.

    python benchmarks/hard_pairs.py
    python benchmarks/adaptation.py data/hard_pairs/colour/colour.py

Each pair has some of these difficulties: classes that differ by colour alone,
larger objects, few target images, target images without objects, few source
images. The pairs are made from data/city2foggy and data/blood_smears. Each
config is the unchanged template for custom data.
"""

from argparse import SUPPRESS
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command


@command
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(__doc__, argument_default=SUPPRESS)
    add = parser.add_argument
    add(
        '--root',
        type=Path,
        help='the folder with city2foggy and blood_smears (default: data)',
    )
    parser.add_out('folder to write (default: data/hard_pairs)', type=Path)
    parser.add_force()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.benchmarking import hard_pairs

    written = hard_pairs.make(**options)
    for folder, split in written.items():
        if folder.name == 'target':
            print(f'{folder}: {len(split.images)} images')
        else:
            boxes = ', '.join(
                f'{n} {name}' for name, n in split.count_boxes().items()
            )
            print(f'{folder}: {len(split.images)} images, {boxes}')


if __name__ == '__main__':
    main()
