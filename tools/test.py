"""Evaluates a detector: python tools/test.py CONFIG CHECKPOINT [options]."""

import os
from argparse import Namespace
from collections.abc import Sequence

from da_faster_options import CommandParser, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    add('config', help='a config file')
    add('checkpoint', help='a checkpoint file')
    add('--work-dir', help='folder for the log and the metrics')
    parser.add_out('a .pkl file to write, with all predictions')
    add('--show', action='store_true', help='show the predictions in a window')
    add('--show-dir', help='save drawn images to WORK_DIR/TIMESTAMP/SHOW_DIR')
    add(
        '--wait-time',
        type=float,
        default=2,
        help='seconds between the images of --show (default: 2)',
    )
    add('--tta', action='store_true', help='use test-time augmentation')
    add(
        '--skip-data-check',
        action='store_true',
        help='do not check the test data first',
    )
    parser.add_cfg_options()
    parser.add_launcher()
    parser.add_trust_checkpoint()
    args = parser.parse_args(argv)
    if args.out is not None and not args.out.endswith(('.pkl', '.pickle')):
        raise SystemExit(f'--out {args.out}: the file must end in .pkl.')
    return args


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.
    from da_faster.apis import test
    from da_faster.engine import leave_process_group

    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    test(
        args.config,
        args.checkpoint,
        out=args.out,
        show=args.show,
        show_dir=args.show_dir,
        wait_time=args.wait_time,
        tta=args.tta,
        data_check=not args.skip_data_check,
        options=args.cfg_options,
        work_dir=args.work_dir,
        launcher=args.launcher,
        trust_checkpoint=args.trust_checkpoint,
    )
    leave_process_group()


if __name__ == '__main__':
    main()
