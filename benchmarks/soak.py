"""Kill a training again and again: does it end as the uninterrupted one?

    python benchmarks/soak.py benchmarks/soak_config.py --kills 20

Trains once in peace, watching the memory of the process and of its workers;
then once more, killed with SIGKILL at random moments (start-up, step,
checkpoint, validation) and resumed with `--resume auto` each time. Fails where
the last weights differ in a bit. Prints the figures.
"""

import os.path as osp
import random
from argparse import Namespace

from da_faster_options import CommandParser, command


def parse_args() -> Namespace:
    parser = CommandParser(__doc__)
    parser.add_argument('config')
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--seed', type=int, default=0, help='of the kills')
    parser.add_argument('--work-dir', default='work_dirs/soak')
    # As texts: tools/train.py reads them.
    parser.add_cfg_options(action='store', default=[])
    return parser.parse_args()


@command
def main() -> None:
    args = parse_args()
    dirs = [osp.join(args.work_dir, name) for name in ('whole', 'killed')]
    if any(map(osp.exists, dirs)):
        raise SystemExit(
            f'{args.work_dir} holds runs already; remove it or '
            'give another --work-dir.'
        )
    # Late: the package imports torch, which takes seconds.
    from da_faster.engine.checkpoints.files import resume_candidates
    from speed.soak import differing, growth, soak_config

    random.seed(args.seed)
    whole = soak_config(args.config, dirs[0], args.cfg_options)
    print(f'uninterrupted: {whole.seconds:.0f} s')
    for name, samples in whole.memory.items():
        print(f'memory, {name}: {growth(samples)}')
    span = 2 * whole.seconds / max(args.kills, 1)
    killed = soak_config(
        args.config, dirs[1], args.cfg_options, args.kills, span
    )
    print(f'{killed.kills} kills: {killed.seconds:.0f} s')
    differ = differing(*(resume_candidates(folder)[0] for folder in dirs))
    if differ:
        raise SystemExit(f'{len(differ)} weights differ: {differ[0]}, ...')
    print('last weights: equal to the last bit')


if __name__ == '__main__':
    main()
