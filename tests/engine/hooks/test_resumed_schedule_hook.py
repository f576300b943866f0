"""Resumes with another schedule, against rates computed by hand."""

import math

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner

from da_faster.engine import RefusedCheckpoint
from da_faster.engine.hooks.resumed_schedule_hook import check_groups


class Toy(BaseModel):
    """A model of one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, inputs, data_samples=None, mode='loss') -> dict:
        return dict(loss=(self.weight * inputs[0]).sum())


COSINE = dict(type='CosineAnnealingLR', by_epoch=False, T_max=4, end=4)
WARM_UP = dict(
    type='LinearLR', start_factor=0.5, begin=0, end=2, by_epoch=False
)
SGD = dict(type='SGD', lr=1.0, momentum=0.9, weight_decay=0.0)


@pytest.fixture
def train(tmp_path):
    """Trains, and returns the rate of each iteration and the Runner."""
    numbers = iter(range(99))

    def run(iterations, schedule, resume=False, optimizer=SGD, **changes):
        runner = Runner(
            Toy(),
            str(tmp_path),
            train_dataloader=dict(
                batch_size=1,
                dataset=[dict(inputs=torch.ones(1))] * 4,
                sampler=dict(type='InfiniteSampler', shuffle=False),
            ),
            train_cfg=dict(by_epoch=False, max_iters=iterations),
            optim_wrapper=dict(optimizer=optimizer, **changes),
            param_scheduler=schedule,
            default_hooks=dict(
                checkpoint=dict(
                    type='CheckpointHook', by_epoch=False, interval=4
                ),
                schedule=dict(type='ResumedScheduleHook'),
            ),
            resume=resume,
            experiment_name=f'{tmp_path.name}{next(numbers)}',
        )
        rates = []
        step = runner.model.train_step

        def train_step(data, optim_wrapper):
            rates.append(optim_wrapper.param_groups[0]['lr'])
            return step(data, optim_wrapper)

        runner.model.train_step = train_step
        runner.train()
        return rates, runner

    return run


def cosine(step: int, period: int) -> float:
    return (1 + math.cos(math.pi * step / period)) / 2


def test_a_longer_cosine(train):
    rates, _ = train(4, COSINE)
    assert rates == pytest.approx([cosine(i, 4) for i in range(4)])
    longer = dict(COSINE, T_max=8, end=8)
    rates, _ = train(8, longer, resume=True)
    # 0.5, 0.31, 0.15, 0.04: not the 0 at which the shorter schedule ended.
    assert rates == pytest.approx([cosine(i, 8) for i in range(4, 8)])


def test_later_steps_behind_a_warm_up(train):
    steps = dict(type='MultiStepLR', by_epoch=False, milestones=[3], gamma=0.1)
    rates, _ = train(4, [WARM_UP, steps])
    assert rates == pytest.approx([0.5, 1, 1, 0.1])
    steps['milestones'] = [6]
    rates, _ = train(8, [WARM_UP, steps], resume=True)
    assert rates == pytest.approx([1, 1, 0.1, 0.1])


def test_another_rate_and_decay(train):
    train(4, [WARM_UP])
    optimizer = dict(SGD, lr=0.2, weight_decay=0.5)
    rates, runner = train(6, [WARM_UP], resume=True, optimizer=optimizer)
    assert rates == pytest.approx([0.2, 0.2])
    assert runner.optim_wrapper.param_groups[0]['weight_decay'] == 0.5


def test_parameter_groups_without_a_schedule(train):
    paramwise = dict(custom_keys={'weight': dict(lr_mult=2.0)})
    train(4, None, paramwise_cfg=paramwise)
    rates, _ = train(5, None, True, dict(SGD, lr=3.0), paramwise_cfg=paramwise)
    assert rates == [6.0]


def test_nothing_changes_if_no_setting_differs(train):
    """The learning rate stays the checkpoint's to the last bit."""
    _, before = train(4, [WARM_UP, COSINE])
    # Another hook may have changed the learning rate.
    before.optim_wrapper.param_groups[0]['lr'] = 0.123
    before.save_checkpoint(before.work_dir, 'iter_4.pth')
    rates, runner = train(6, [WARM_UP, COSINE], resume=True)
    assert rates == [0.123, 0.123]


@pytest.mark.parametrize('end, warned', [(3, True), (4, True), (5, False)])
def test_a_training_that_is_over(train, monkeypatch, end, warned):
    train(4, COSINE)
    said = []
    monkeypatch.setattr(
        'mmengine.logging.MMLogger.warning', lambda _, text: said.append(text)
    )
    rates, _ = train(end, COSINE, resume=True)
    assert len(rates) == max(end - 4, 0)
    text = f'is of iteration 4, and the training ends at {end} (max_iters)'
    assert any(text in line for line in said) == warned


def test_another_optimizer_is_refused(train):
    train(4, COSINE)
    with pytest.raises(RefusedCheckpoint, match='give load_from instead'):
        train(8, COSINE, resume=True, optimizer=dict(type='AdamW', lr=1.0))
    with pytest.raises(RefusedCheckpoint, match='has 2 groups .*, that .* 1:'):
        check_groups([{}, {}], [{}])
