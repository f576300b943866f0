"""Sets up and ends runs of several processes, on CPUs too."""

import gc

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import barrier, is_distributed

from da_faster.errors import UserError


def set_up_cpu_launcher(cfg: Config) -> None:
    """Lets a Runner with ``launcher='pytorch'`` run on CPUs, over gloo.

    MMEngine's launcher selects a CUDA device and wraps the model for it.
    Nothing is changed with an accelerator or without a launcher.

    Args:
        cfg (Config): Config of the Runner; ``model_wrapper_cfg`` is added.

    Raises:
        UserError: If another launcher is to run on CPUs.
    """
    if cfg.launcher == 'none' or get_device() != 'cpu':
        return
    if cfg.launcher != 'pytorch':
        raise UserError(
            f'--launcher {cfg.launcher} needs an accelerator; on CPUs use '
            '--launcher pytorch (tools/dist_train.sh).'
        )
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    # Runner's default wrapper, except for device_ids.
    cfg.setdefault(
        'model_wrapper_cfg',
        dict(
            type='MMDistributedDataParallel',
            broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False),
        ),
    )
    cfg.model_wrapper_cfg.setdefault('device_ids', None)


def leave_process_group() -> None:
    """Waits for all processes of the run, then leaves their process group.

    A process that simply exits closes connections, and processes that are not
    done yet fail. If one process has failed, the launcher ends the others,
    which wait here. Without a launcher nothing happens.

    Callers must not hold the Runner any more, so that the threads of the
    process group end here, too. Such a thread needs the interpreter to release
    tensors. A thread that still waits when the interpreter ends aborts the
    program: "terminate called without an active exception" (pytorch issue
    190489).
    """
    if is_distributed():
        barrier()
        # A group ends with its last reference. MMDistributedDataParallel
        # holds some, and the Runner is a reference cycle.
        gc.collect()
        torch.distributed.destroy_process_group()
