"""Makes four pairs on which adaptation may lose, for benchmarks/adaptation.py.

    python benchmarks/hard_pairs.py
    python benchmarks/adaptation.py data/hard_pairs/colour/colour.py

A class told by its colour, larger objects, few target images, target images
without objects, few source images: each pair has some of them. They are made
out of data/city2foggy and data/blood_smears. Each config is the template for
own data, as it comes.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    add = parser.add_argument
    add('--root', type=Path, help='has both pairs (default: data)')
    add('--out', type=Path, help='folder to write (default: data/hard_pairs)')
    add('--force', action='store_true', help='replace an earlier result')
    options = vars(parser.parse_args(argv))

    # Late, as these imports take seconds.
    from da_faster.benchmarking import hard_pairs
    from da_faster.errors import one_sentence

    with one_sentence():
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
