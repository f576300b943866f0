"""Generates the domain pair "city -> foggy city" as COCO datasets.

    python tools/dataset_converters/city2foggy.py

Writes, below ``--out``::

    source/              clear, labelled, for training
    target/              foggy, other scenes than the source, for training
    target_test/         foggy, for testing
    source_test/         the scenes of target_test without the fog
    annotations/{source_train,target_train,target_test,source_test}.json

``target_train.json`` is for labelled oracles only. The same arguments give the
same bytes, whatever the number of processes.
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
    add('--out', type=Path, help='folder to write (default: data/city2foggy)')
    add('--seed', type=int, help='of all scenes (default: 0)')
    add(
        '--beta',
        type=float,
        help='attenuation coefficient of the fog in 1/m (default: 0.01)',
    )
    add('--num-source', type=int, help='scenes to train on (default: 400)')
    add('--num-target', type=int, help='scenes to adapt to (default: 400)')
    add('--num-test', type=int, help='scenes to test on (default: 150)')
    add(
        '--size',
        type=int,
        nargs=2,
        metavar=('WIDTH', 'HEIGHT'),
        help='of the images, pixels (default: 384 192)',
    )
    add('--force', action='store_true', help='replace an earlier result')
    add('--nproc', type=int, help='processes (default: one per core)')
    options = vars(parser.parse_args(argv))

    # Importing torch and mmdet takes seconds: parse first.
    from da_faster.data_conversion import city2foggy
    from da_faster.errors import one_sentence
    from da_faster.files import file_sha256

    with one_sentence():
        written = city2foggy.convert(**options)
    for path, split in written.items():
        counts = split.count_boxes()
        share = ', '.join(f'{name} {count}' for name, count in counts.items())
        print(
            f'{path.stem}: {len(split.images)} images, '
            f'{sum(counts.values())} boxes ({share})\n'
            f'  sha256 {file_sha256(path)}'
        )
    print(f'written to {path.parents[1]}')


if __name__ == '__main__':
    main()
