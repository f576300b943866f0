"""Kills a training again and again, and compares it with an unbroken one.

    python benchmarks/soak.py benchmarks/soak_config.py --kills 20

The first training is not interrupted. The command watches the memory of its
process and of its workers. The second training is killed with SIGKILL at
random moments (start-up, step, checkpoint, validation), and resumed each time
with `--resume auto`. The command fails where the last weights differ in a bit.
"""

import os.path as osp
import random
from argparse import Namespace

from da_faster_options import CommandParser, command


def parse_args() -> Namespace:
    parser = CommandParser(__doc__)
    parser.add_argument('config', help='a train config')
    parser.add_argument(
        '--kills',
        type=int,
        default=20,
        help='how often to kill the second training (default: 20)',
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        help='seed of the moments of the kills (default: 0)',
    )
    parser.add_argument(
        '--work-dir',
        default='work_dirs/soak',
        help='folder of both trainings (default: work_dirs/soak)',
    )
    # The options stay texts, as tools/train.py gets them.
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
