"""Trains every method with several seeds, and prints a table of their AP.

    python benchmarks/adaptation.py blood_smears --seeds 0 1 2 --jobs 2
    python benchmarks/adaptation.py my_config.py --seeds 0 1 2 --jobs 2
    python benchmarks/adaptation.py demo --slurm partition=gpu gres=gpu:1

Each run is one `tools/train.py` with a config `*_PAIR.py` of `configs/`. The
AP is that of the LAST weights. Finished runs are kept. Interrupted runs are
resumed. Ctrl-C ends the runs under way.

With --slurm each run is a job of a SLURM cluster, through submitit. The
command runs until all jobs are done, so start it in tmux or the like. A job
that reaches its time limit saves a checkpoint, is queued again and resumes.
--slurm takes the options of submitit's SlurmExecutor, e.g. partition, account,
qos, gres, gpus_per_node, cpus_per_task, mem, constraint, and time, in minutes.

my_config.py is made from configs/custom/source_only_custom.py and names
labelled images of the target. Paths in my_config.py are relative to the
current folder.
"""

import os
import os.path as osp
import signal
import sys
from argparse import Namespace

from da_faster_options import CommandParser, KeyValue, at_least, command

ROOT = osp.dirname(osp.dirname(osp.abspath(__file__)))
# Names of da_faster.benchmarking.methods.METHODS, whose import is slow.
METHODS = (
    'source-only', 'strong', 'style', 'control', 'image', 'instance', 'da',
    'consistency', 'strong-da', 'style-da', 'teacher', 'teacher-control',
    'oracle', 'oracle-strong',
)  # fmt: skip


def parse_args() -> Namespace:
    parser = CommandParser(__doc__)
    parser.add_argument(
        'pair',
        help="the end of the configs' names, e.g. blood_smears or demo, or a "
        'config made from the template',
    )
    parser.add_argument(
        '--seeds',
        type=int,
        nargs='+',
        default=[0, 1, 2],
        help='seeds of each method (default: 0 1 2)',
    )
    parser.add_argument(
        '--methods',
        nargs='+',
        choices=METHODS,
        help='methods to compare (default: all that have a config of the '
        'pair)',
    )
    parser.add_argument(
        '--jobs',
        type=at_least(1),
        help='runs at the same time (default: 1, with --slurm all)',
    )
    parser.add_argument(
        '--slurm',
        nargs='*',
        action=KeyValue,
        metavar='OPTION=VALUE',
        help='train as jobs of a SLURM cluster',
    )
    parser.add_out(
        'folder of the work dirs (default: work_dirs/adaptation)',
        default='work_dirs/adaptation',
    )
    args = parser.parse_args()
    if len(set(args.seeds)) < len(args.seeds):
        parser.error('--seeds: give each seed once')
    return args


@command
def main() -> None:
    args = parse_args()
    # Every signal that ends the command ends its trainings, too.
    for name in ('SIGINT', 'SIGTERM', 'SIGHUP'):
        number = signal.Signals[name]
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, lambda number, _: sys.exit(128 + number))
    # Late: the package imports torch, which takes seconds.
    from da_faster.benchmarking.adaptation import compare

    name = args.pair
    if name.endswith('.py'):
        name = osp.basename(name)[:-3]
    else:
        os.chdir(ROOT)
    table = compare(
        args.pair,
        osp.join(args.out, name),
        args.seeds,
        args.methods,
        args.jobs,
        slurm=args.slurm,
    )
    print('\n' + table)


if __name__ == '__main__':
    main()
