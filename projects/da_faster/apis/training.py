"""Trains a detector with a config."""

from mmdet.utils import setup_cache_size_limit_of_dynamo
from mmengine.config import Config
from mmengine.device import get_device

from da_faster.data_check import stop_if_fatal
from da_faster.engine import trust_checkpoints
from da_faster.engine.checkpoints.files import check_writable, find_resumable
from da_faster.engine.hooks.preemption_hook import EXIT_CODE
from da_faster.engine.work_dir_lock import is_first_process, lock_work_dir
from da_faster.errors import UserError, logged

from .config import load_config, name_of
from .log_backends import check_backends
from .output_paths import check_file
from .runner import Runner


def train(
    config: Config | str,
    amp: bool = False,
    auto_scale_lr: bool = False,
    resume: str | None = None,
    data_check: bool = True,
    trust_checkpoint: bool = False,
    **options,
) -> bool:
    """Trains a detector, as ``tools/train.py`` does.

    Args:
        config (Config or str): A config, or a config file.
        amp (bool): Whether to train in mixed precision.
        auto_scale_lr (bool): Whether to scale the learning rate with the
            number of source images in an iteration.
        resume (str, optional): A checkpoint, or ``auto`` for the latest
            undamaged one in the work dir. If there is none, the training
            starts as the config says, with ``load_from``.
        data_check (bool): Whether to look for errors in the data first.
        trust_checkpoint (bool): Load checkpoints that may run code. If it is
            not set, this process refuses such checkpoints from here on.
        **options: Arguments of ``load_config``.

    Returns:
        bool: False if a signal ended the run before its end
        (``PreemptionHook``), so that it can be resumed.

    Raises:
        UserError: If the config, the data, a checkpoint or the work dir
            cannot be used, or the run had to stop.
    """
    setup_cache_size_limit_of_dynamo()
    cfg = load_config(config, **options)
    name = name_of(config)
    check_backends(cfg)
    trust_checkpoints(trust_checkpoint)
    # The lock is held until the training ends.
    if is_first_process():
        lock = lock_work_dir(cfg.work_dir)  # noqa: F841
        check_writable(cfg.work_dir)
    if amp:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.loss_scale = 'dynamic'
    check_amp(cfg, name, amp)
    if auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise UserError(
                f'{name} has no auto_scale_lr.base_batch_size, '
                'which --auto-scale-lr needs.'
            )
        cfg.auto_scale_lr.enable = True
    set_resume(cfg, resume)
    if data_check:
        stop_if_fatal(cfg)
    with logged():
        try:
            Runner.from_cfg(cfg).train()
        except SystemExit as leaving:
            # PreemptionHook ends all processes with this code.
            if leaving.code != EXIT_CODE:
                raise
            return False
    return True


def check_amp(cfg: Config, name: str, by_option: bool) -> None:
    """Raises a UserError for mixed precision without a GPU."""
    wrapper = cfg.get('optim_wrapper') or {}
    if wrapper.get('type') != 'AmpOptimWrapper' or get_device() != 'cpu':
        return
    if by_option:
        raise UserError(
            '--amp needs a GPU, and PyTorch sees none here: leave it out.'
        )
    raise UserError(
        f'{name} trains in mixed precision, which needs a GPU, and PyTorch '
        'sees none here: give --cfg-options optim_wrapper.type=OptimWrapper.'
    )


def set_resume(cfg: Config, resume: str | None) -> None:
    """Sets the checkpoint to resume from in the config; see ``train``."""
    if resume == 'auto':
        # Runner would look for the latest checkpoint only without load_from,
        # so the initial weights would be lost if there is no checkpoint.
        latest = find_resumable(
            cfg.work_dir, print if is_first_process() else lambda text: None
        )
        cfg.resume = latest is not None
        cfg.load_from = latest or cfg.get('load_from')
    elif resume is not None:
        check_file(resume, 'checkpoint')
        cfg.resume = True
        cfg.load_from = resume
