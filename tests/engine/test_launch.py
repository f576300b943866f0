"""Runs of several processes on CPUs: set-up and end."""

import time

import pytest
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import MMDistributedDataParallel

import da_faster
from da_faster.engine import leave_process_group, set_up_cpu_launcher
from da_faster.errors import UserError
from launching import fork_ranks
from recorder import thread_names


def test_nothing_changes_without_a_launcher():
    cfg = Config(dict(launcher='none'))
    set_up_cpu_launcher(cfg)
    leave_process_group()
    assert 'model_wrapper_cfg' not in cfg
    assert not torch.distributed.is_initialized()


def test_a_mac_computes_on_the_cpu(monkeypatch):
    """mmcv has no operations for Apple's GPU."""
    monkeypatch.setattr('mmengine.device.utils.DEVICE', 'mps')
    assert get_device() == 'mps'
    with pytest.warns(UserWarning, match='computing on the CPU'):
        da_faster._leave_apples_gpu()
    assert get_device() == 'cpu'


@pytest.mark.skipif(torch.cuda.is_available(), reason='is about CPUs')
def test_other_launchers_need_an_accelerator():
    with pytest.raises(UserError, match='slurm needs an accelerator'):
        set_up_cpu_launcher(Config(dict(launcher='slurm')))


@pytest.mark.skipif(torch.cuda.is_available(), reason='is about CPUs')
def test_processes_leave_together(tmp_path):

    def run(*args):
        set_up_cpu_launcher(Config(dict(launcher='pytorch')))
        rank = torch.distributed.get_rank()
        if rank == 1:
            time.sleep(0.5)
            (tmp_path / 'slow_one_done').touch()
        leave_process_group()
        assert (tmp_path / 'slow_one_done').exists()
        assert not torch.distributed.is_initialized()

    assert fork_ranks(run) == [0, 0]


@pytest.mark.skipif(torch.cuda.is_available(), reason='is about CPUs')
def test_no_thread_outlives_the_group():
    def run(*args):
        set_up_cpu_launcher(Config(dict(launcher='pytorch')))
        model = MMDistributedDataParallel(torch.nn.Linear(1, 1))
        model.runner = [model]  # a reference cycle
        del model
        assert 'pt_gloo_runloop' in thread_names()
        leave_process_group()
        assert 'pt_gloo_runloop' not in thread_names()

    assert fork_ranks(run) == [0, 0]
