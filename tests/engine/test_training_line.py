"""The line of a training: its items, for all kinds of detectors."""

from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmengine.registry import LOG_PROCESSORS

SCALARS = dict(
    lr=[0.02, 0.01],
    time=[0.4, 0.6],
    data_time=[0.01, 0.03],
    grad_norm=[3.0, 5.0],
    loss=[2.0, 3.0],
    loss_cls=[0.5, 1.5],
    loss_bbox=[0.5, 0.25],
    acc=[90.0, 80.0],
)
ADVERSARIAL = dict(
    loss_da_image=[0.7, 0.6],
    acc_da_image=[50.0, 60.0],
    loss_da_consistency=[0.1, 0.1],
)
TEACHER = dict(
    target_loss_cls=[0.2, 0.4],
    target_loss_bbox=[0.1, 0.1],
    target_acc=[90.0, 90.0],
    pseudo_boxes=[3.0, 5.04],
    pseudo_agreement=[0.9, 0.9],
)


@pytest.fixture
def write(monkeypatch):
    """Logs an iteration with the log processor of configs/.

    Returns tag and line, which do not depend on the accelerator.
    """
    monkeypatch.setattr(
        'mmengine.runner.log_processor.is_cuda_available', lambda: False
    )
    cfg = Config.fromfile('configs/_base_/default_runtime.py').log_processor
    processor = LOG_PROCESSORS.build(dict(cfg, _scope_='mmdet'))

    def write(scalars: dict, mode: str = 'train') -> tuple[dict, str]:
        hub = SimpleNamespace(
            log_scalars={
                f'{mode}/{name}': HistoryBuffer(values, [1] * len(values))
                for name, values in scalars.items()
            },
            runtime_info=dict(eta=3725.5),
            get_info=lambda name: 3725.5,
        )
        runner = SimpleNamespace(
            message_hub=hub,
            iter=779,
            max_iters=2200,
            _train_loop=None,
            val_loop=SimpleNamespace(dataloader=[0] * 9),
        )
        return processor.get_log_after_iter(runner, 779, mode)

    return write


HEAD = (
    'Iter(train) [ 780/2200]  eta: 1:02:05  time: 0.500 (data 0.020)  '
    'lr: 1.0e-02  loss: 2.500'
)


def test_a_plain_detector(write):
    assert write(SCALARS)[1] == HEAD


def test_domain_classifiers(write):
    assert write({**SCALARS, **ADVERSARIAL})[1] == (
        f'{HEAD} (detection 1.375, da_image 0.650, da_consistency 0.100)  '
        'acc: da_image 55 %'
    )


def test_a_teacher(write):
    # Parts are sums of means over the window; pseudo_boxes is a mean already.
    line = write({**SCALARS, **TEACHER})[1]
    assert line == f'{HEAD} (detection 1.375, target 0.400)  pseudo_boxes: 5.0'


def test_scalars_json_has_all(write):
    scalars = {**SCALARS, **ADVERSARIAL, **TEACHER}
    tag, _ = write(scalars)
    assert tag.keys() == {*scalars, 'iter'}
    assert tag['acc_da_image'] == pytest.approx(55)
    assert tag['pseudo_boxes'] == pytest.approx(5.04)


def test_validation_has_mmengine_s_line(write):
    _, line = write(dict(time=[0.4], data_time=[0.1]), 'val')
    assert line.startswith('Iter(val) [780/9]') and 'time: 0.400' in line


def test_a_gpu_has_its_memory(write, monkeypatch):
    monkeypatch.setattr(
        'mmengine.runner.log_processor.is_cuda_available', lambda: True
    )
    monkeypatch.setattr(
        'mmengine.runner.log_processor.LogProcessor._get_max_memory',
        lambda self, runner: 1234,
    )
    assert 'memory: 1234  lr:' in write(SCALARS)[1]
