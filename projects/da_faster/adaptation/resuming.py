"""Resumes an adaptation that was interrupted."""

import copy
import os
import os.path as osp
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config

from da_faster.config_files import read_config
from da_faster.config_tree import dataloaders, image_folder, unwrapped_datasets
from da_faster.data_check import stop_if_fatal
from da_faster.errors import UserError
from da_faster.files import file_sha256, write_atomically

from .work_dir import WorkDir


def prepare_resume(
    work_dir: WorkDir,
    target: str,
    checkpoint: str,
    data_check: bool,
    say: Callable[[str], None],
) -> None:
    """Checks an adaptation that was begun; its folder may have moved since.

    Args:
        work_dir (WorkDir): The folder. ``adapt.py`` is corrected where it
            names the folder's earlier path, or settings of a Runner.
        target (str): The folder of images that the user gives now.
        checkpoint (str): The checkpoint that the user gives now.
        data_check (bool): Look for errors in the data.
        say (callable): Called with each line to show.

    Raises:
        UserError: If something is gone, broken, or of another adaptation.
    """
    file, start = work_dir.config, work_dir.start
    if not file.exists():
        raise UserError(
            f'{file.parent} has no adaptation to resume: leave --resume out.'
        )
    work_dir.check_begun()
    for needed in (start, start.with_suffix('.py')):
        if not needed.exists():
            raise UserError(
                f'{needed} is gone, and nothing can be exported without it: '
                'copy it back, or start again in another --work-dir.'
            )
    cfg = read_config(file)
    check_target(cfg, target, file)
    if data_check:
        stop_if_fatal(
            cfg,
            advice=f'start the command where you started it first, or correct '
            f'the paths in {file}; --skip-data-check continues anyway.',
        )
    now = copy.deepcopy(cfg)
    if osp.realpath(cfg.get('load_from') or '') != osp.realpath(start):
        now.load_from = str(start)
    # tools/train.py writes its own settings over the config of its work dir.
    now.resume = False
    for key in ('work_dir', 'launcher'):
        now.pop(key, None)
    if now.to_dict() != cfg.to_dict():
        write_atomically(now.pretty_text.encode(), str(file))
    say(f'{file}: resumes as the file says, whatever options are given')
    check_same_start(cfg, checkpoint, file)


def check_target(cfg: Config, target: str, file: Path) -> None:
    """Raises a UserError if a config adapts to no images, or to others."""
    needed = 'model', 'train_cfg', 'train_dataloader', 'test_dataloader'
    gone = [key for key in needed if not cfg.get(key)]
    if gone:
        raise UserError(f'{file} has no {", ".join(gone)}: complete it.')
    loaders = dataloaders(cfg)
    for dataset in unwrapped_datasets(
        loaders.get('target') or loaders['source']
    ):
        own = image_folder(dataset)
        if osp.realpath(own) != osp.realpath(target):
            raise UserError(
                f'{file} adapts to {own} (from {os.getcwd()}), not to '
                f'{target}: give that one, or another --work-dir; or write '
                'where it is now into the file.'
            )


def check_same_start(cfg: Config, checkpoint: str, file: Path) -> None:
    """Raises a UserError if another checkpoint is given than at the start.

    The checkpoint of the start may be gone by now.
    """
    begun = cfg.get('adaptation') or {}
    if not begun.get('checkpoint'):
        return
    if osp.isfile(checkpoint):
        same = file_sha256(checkpoint) == begun.get('sha256')
    else:
        same = '://' not in checkpoint or checkpoint == begun['checkpoint']
    if not same:
        raise UserError(
            f'{file} adapts {begun["checkpoint"]}, which is not {checkpoint}: '
            'give that one, or another --work-dir.'
        )
