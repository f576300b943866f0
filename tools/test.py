"""Evaluate a detector: python tools/test.py CONFIG CHECKPOINT [options]."""

import argparse
import os
from collections.abc import Sequence

from da_faster_options import KeyValue


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test (and eval) a detector')
    add = parser.add_argument
    add('config', help='test config file path')
    add('checkpoint', help='checkpoint file')
    add('--work-dir', help='the dir to save the evaluation metrics')
    add('--out', help='dump predictions to a .pkl for offline evaluation')
    add('--show', action='store_true', help='show prediction results')
    add(
        '--show-dir', help='save painted images to work_dir/timestamp/show_dir'
    )
    add('--wait-time', type=float, default=2, help='the interval of show (s)')
    add('--tta', action='store_true', help='test-time augmentation')
    add(
        '--skip-data-check',
        action='store_true',
        help='do not look for errors in the test data first',
    )
    add(
        '--cfg-options',
        nargs='+',
        action=KeyValue,
        help='override settings of the config, xxx=yyy; lists: key="[a,b]" or '
        'key=a,b; nested: key="[(a,b),(c,d)]", without white space',
    )
    add(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    add(
        '--trust-checkpoint',
        action='store_true',
        help='load checkpoints that hold more than weights, which may run '
        'code: only files of people you trust',
    )
    # torch.distributed.launch passes --local-rank.
    add('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args(argv)
    if args.out is not None and not args.out.endswith(('.pkl', '.pickle')):
        raise SystemExit(f'--out {args.out}: the file must end in .pkl.')
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # torch is imported after the options are parsed: it takes seconds.
    from da_faster.apis import test
    from da_faster.engine import part_from_launcher
    from da_faster.errors import one_sentence

    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    with one_sentence():
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
    part_from_launcher()


if __name__ == '__main__':
    main()
