"""Generates the domain pair "city -> foggy city" as COCO datasets.

    python tools/dataset_converters/city2foggy.py

Writes, below ``--out``::

    source/              clear, labelled, for training
    target/              foggy, other scenes than the source, for training
    target_test/         foggy, for testing
    source_test/         the scenes of target_test without the fog
    annotations/{source_train,target_train,target_test,source_test}.json

``target_train.json`` is only for oracles, which train on the target's labels.
The same arguments give the same bytes with any number of processes.
"""

from argparse import SUPPRESS
from collections.abc import Sequence
from pathlib import Path

from da_faster_options import CommandParser, command


@command
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(__doc__, argument_default=SUPPRESS)
    add = parser.add_argument
    parser.add_out('folder to write (default: data/city2foggy)', type=Path)
    add('--seed', type=int, help='seed of all scenes (default: 0)')
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
        help='size of the images in pixels (default: 384 192)',
    )
    parser.add_force()
    parser.add_nproc()
    options = vars(parser.parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.data_conversion import city2foggy
    from da_faster.files import file_sha256

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
