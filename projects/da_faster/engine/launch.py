"""Several processes, also on a machine without an accelerator."""

import gc

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import barrier, is_distributed

from da_faster.errors import UserError


def set_up_cpu_launcher(cfg: Config) -> None:
    """Lets a Runner with ``launcher='pytorch'`` run on CPUs, over gloo.

    MMEngine's launcher selects a CUDA device and wraps the model for one. With
    an accelerator, or without a launcher, nothing is changed.

    Args:
        cfg (Config): Of the Runner; ``model_wrapper_cfg`` is added.
    """
    if cfg.launcher == 'none' or get_device() != 'cpu':
        return
    if cfg.launcher != 'pytorch':
        raise UserError(
            f'--launcher {cfg.launcher} needs an accelerator; on '
            'CPUs use --launcher pytorch (tools/dist_train.sh)'
        )
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    # What Runner wraps with by default, but for its device_ids.
    cfg.setdefault(
        'model_wrapper_cfg',
        dict(
            type='MMDistributedDataParallel',
            broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False),
        ),
    )
    cfg.model_wrapper_cfg.setdefault('device_ids', None)


def part_from_launcher() -> None:
    """Ends the work of several processes together and in good order.

    A process that just exits closes the connections of those that are not
    done yet, which then fail. Without a launcher nothing happens. Where one
    process has failed, the launcher ends the others, which wait for it here.

    The threads of the process group end here, too. So no caller may hold the
    Runner any more. Such a thread needs the interpreter to let go of tensors.
    If it still waits for the interpreter when that ends, it aborts the
    program: "terminate called without an active exception" (pytorch issue
    190489).
    """
    if is_distributed():
        barrier()
        # Only the end of its last reference ends a group. A model in
        # MMDistributedDataParallel has some, and the Runner is a cycle.
        gc.collect()
        torch.distributed.destroy_process_group()
