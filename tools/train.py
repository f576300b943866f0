"""Train a detector: python tools/train.py CONFIG [options]."""
import argparse

from cli import add_common_args, load_config, need_file, one_sentence
from data_checks import stop_if_fatal
from mmdet.utils import setup_cache_size_limit_of_dynamo
from mmengine.config import Config
from mmengine.runner import Runner

from da_faster.engine import part_from_launcher
from da_faster.engine.checkpoints.files import find_resumable
from da_faster.engine.work_dir_lock import is_first_process, lock_work_dir


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a detector')
    parser.add_argument('config', help='train config file path')
    parser.add_argument('--work-dir', help='the dir to save logs and models')
    parser.add_argument(
        '--amp', action='store_true', help='train in mixed precision')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the number of source images an '
        'iteration')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='a checkpoint to resume from, or "auto" (also: no value) for the '
        'latest undamaged one in the work dir; where there is none, the '
        'training starts as configured, load_from included')
    parser.add_argument(
        '--skip-data-check',
        action='store_true',
        help='do not look for errors in the data before the training')
    add_common_args(parser)
    return parser.parse_args()


def apply_args(cfg: Config, args: argparse.Namespace) -> None:
    """Writes the options that only training knows into the config."""
    if args.amp:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.loss_scale = 'dynamic'
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise SystemExit(f'{args.config} has no auto_scale_lr.'
                             'base_batch_size, which --auto-scale-lr needs.')
        cfg.auto_scale_lr.enable = True
    if args.resume == 'auto':
        # Runner looks for the latest checkpoint only without load_from, and
        # would so drop the initial weights where there is none yet.
        latest = find_resumable(
            cfg.work_dir, print if is_first_process() else lambda text: None)
        cfg.resume = latest is not None
        cfg.load_from = latest or cfg.get('load_from')
    elif args.resume is not None:
        need_file(args.resume, 'checkpoint')
        cfg.resume = True
        cfg.load_from = args.resume


def main() -> None:
    args = parse_args()
    setup_cache_size_limit_of_dynamo()
    cfg = load_config(args)
    # Held until the program ends.
    lock = is_first_process() and lock_work_dir(cfg.work_dir)  # noqa: F841
    apply_args(cfg, args)
    if not args.skip_data_check:
        stop_if_fatal(cfg)
    with one_sentence():
        Runner.from_cfg(cfg).train()
    part_from_launcher()


if __name__ == '__main__':
    main()
