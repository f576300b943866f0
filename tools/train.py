"""Trains a detector: python tools/train.py CONFIG [options]."""

import os
from argparse import Namespace
from collections.abc import Sequence

from da_faster_options import CommandParser, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    add('config', help='a config file')
    add('--work-dir', help='folder for logs and checkpoints')
    add('--amp', action='store_true', help='train in mixed precision')
    add(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the number of source images in an '
        'iteration',
    )
    add(
        '--resume',
        nargs='?',
        const='auto',
        help='a checkpoint to resume from, or "auto" (also: no value) for the '
        'latest undamaged one in the work dir; where there is none, the '
        'training starts as configured, load_from included',
    )
    add(
        '--skip-data-check',
        action='store_true',
        help='do not check the data before the training',
    )
    parser.add_cfg_options()
    parser.add_launcher()
    parser.add_trust_checkpoint()
    return parser.parse_args(argv)


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.
    from da_faster.apis import train
    from da_faster.engine import leave_process_group
    from da_faster.engine.hooks.preemption_hook import EXIT_CODE

    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    finished = train(
        args.config,
        amp=args.amp,
        auto_scale_lr=args.auto_scale_lr,
        resume=args.resume,
        data_check=not args.skip_data_check,
        options=args.cfg_options,
        work_dir=args.work_dir,
        launcher=args.launcher,
        trust_checkpoint=args.trust_checkpoint,
    )
    leave_process_group()
    if not finished:
        raise SystemExit(EXIT_CODE)


if __name__ == '__main__':
    main()
