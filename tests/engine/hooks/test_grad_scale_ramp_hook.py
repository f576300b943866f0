"""The ramp of the gradient's scale against numbers computed by hand."""

import math
from types import SimpleNamespace

import pytest
from torch import nn

from da_faster.engine import GradScaleRampHook
from da_faster.models import DomainClassifierNeck, InstanceDomainHead


def make_runner(max_iters: int = 100) -> SimpleNamespace:
    model = nn.Module()
    model.image = DomainClassifierNeck(1, grad_scale=0.1)
    model.instance = InstanceDomainHead(1, grad_scale=0.4)
    return SimpleNamespace(model=model, max_iters=max_iters, iter=0)


def scales_at(hook, runner, iteration: int) -> tuple:
    runner.iter = iteration
    hook.before_train_iter(runner, iteration)
    return runner.model.image.grad_scale, runner.model.instance.grad_scale


def test_ramp_of_ganin_and_lempitsky_by_hand():
    hook, runner = GradScaleRampHook(), make_runner(100)
    hook.before_train(runner)
    for iteration, p in ((0, 0), (10, 0.1), (50, 0.5), (99, 0.99)):
        factor = 2 / (1 + math.exp(-10 * p)) - 1
        assert scales_at(hook, runner, iteration) == pytest.approx(
            (0.1 * factor, 0.4 * factor)
        )
    hook.after_train(runner)
    assert runner.model.image.grad_scale == 0.1


def test_begin_and_end():
    hook, runner = GradScaleRampHook(begin=20, end=40, gamma=5), make_runner()
    hook.before_train(runner)
    assert scales_at(hook, runner, 19) == (0, 0)
    half, full = (2 / (1 + math.exp(-5 * p)) - 1 for p in (0.5, 1))
    assert scales_at(hook, runner, 30)[0] == pytest.approx(0.1 * half)
    assert scales_at(hook, runner, 40)[0] == pytest.approx(0.1 * full)
    assert scales_at(hook, runner, 80)[0] == pytest.approx(0.1 * full)


def test_a_resumed_run_continues_the_ramp():
    hook, runner = GradScaleRampHook(), make_runner()
    hook.before_train(runner)
    through = [scales_at(hook, runner, i) for i in range(50)][-1]

    resumed, fresh_runner = GradScaleRampHook(), make_runner()
    resumed.before_train(fresh_runner)
    assert scales_at(resumed, fresh_runner, 49) == through


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(begin=-1), 'begin must be >= 0, got -1'),
        (dict(begin=5, end=5), r'end must be after begin \(5\), got 5'),
        (dict(gamma=0), 'gamma must be positive, got 0'),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        GradScaleRampHook(**kwargs)


def test_a_ramp_without_iterations_or_classifiers_is_refused():
    with pytest.raises(ValueError, match=r'begin \(100\) is not before'):
        GradScaleRampHook(begin=100).before_train(make_runner(100))
    runner = make_runner()
    runner.model = nn.Conv2d(1, 1, 1)
    with pytest.raises(ValueError, match='no domain classifier'):
        GradScaleRampHook().before_train(runner)
