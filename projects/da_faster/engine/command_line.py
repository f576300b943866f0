"""What tools/train.py and tools/test.py share."""
import argparse
import logging
import os
import os.path as osp
from contextlib import contextmanager

from mmengine.config import Config, DictAction
from mmengine.logging import print_log

from da_faster.engine import (BadSample, CheckpointNotWritten,
                              NonFiniteError, RefusedCheckpoint,
                              set_up_cpu_launcher, trust_checkpoints)


def add_common_args(parser: argparse.ArgumentParser) -> None:
    """Adds MMDetection's options that every tool with a Runner takes."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override settings of the config, xxx=yyy; lists: key="[a,b]" or '
        'key=a,b; nested: key="[(a,b),(c,d)]", without white space')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher')
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='load checkpoints that hold more than weights, which may run '
        'code: only files of people you trust')
    # torch.distributed.launch passes --local-rank.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def need_file(path: str, what: str) -> None:
    """Ends the program with one sentence where ``path`` is no file."""
    if not osp.isfile(path):
        raise SystemExit(f'{what} {path} does not exist; check the path.')


@contextmanager
def one_sentence():
    """Errors that say what to do end the program without a stack trace."""
    try:
        yield
    except (BadSample, CheckpointNotWritten, NonFiniteError,
            RefusedCheckpoint) as error:
        # An error of a data loader's worker arrives as its stack trace, the
        # sentence behind the error's name at the end.
        sentence = str(error).rstrip().splitlines()[-1]
        sentence = sentence.split(f'{type(error).__name__}: ', 1)[-1]
        print_log(sentence, logger='current', level=logging.ERROR)
        raise SystemExit(sentence)


def load_config(args: argparse.Namespace) -> Config:
    """The config with the options of :func:`add_common_args` applied."""
    need_file(args.config, 'config')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = Config.fromfile(args.config)
    cfg.launcher = args.launcher
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    # Command line over config file over the config's name.
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        name = osp.splitext(osp.basename(args.config))[0]
        cfg.work_dir = osp.join('./work_dirs', name)
    set_up_cpu_launcher(cfg)
    trust_checkpoints(args.trust_checkpoint)
    return cfg
