import pytest
import torch
from mmengine.config import Config

from da_faster.engine import set_up_cpu_launcher


def test_nothing_changes_without_a_launcher():
    cfg = Config(dict(launcher='none'))
    set_up_cpu_launcher(cfg)
    assert 'model_wrapper_cfg' not in cfg
    assert not torch.distributed.is_initialized()


@pytest.mark.skipif(torch.cuda.is_available(), reason='is about CPUs')
def test_other_launchers_need_an_accelerator():
    with pytest.raises(SystemExit, match='slurm needs an accelerator'):
        set_up_cpu_launcher(Config(dict(launcher='slurm')))
