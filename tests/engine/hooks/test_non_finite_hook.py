"""Losses and gradients that are not finite: the run stops or skips them."""

import itertools
import math

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from mmengine.structures import BaseDataElement
from torch import nn

from da_faster.engine import NonFiniteError, NonFiniteHook

NUMBERS = itertools.count()


class Toy(nn.Module):
    """A linear layer whose mean output is a loss; tests add other losses."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.extra = {}

    def forward(self, x: torch.Tensor) -> dict:
        return dict(loss_a=self.layer(x).mean(), **self.extra)


class FakeRunner:
    def __init__(self, **wrapper) -> None:
        torch.manual_seed(0)
        self.model = Toy()
        self.optim_wrapper = OptimWrapper(
            torch.optim.SGD(
                self.model.parameters(), lr=1.0, momentum=0.9, weight_decay=0.1
            ),
            **wrapper,
        )
        # Hubs outlive a test, and ids repeat: number their names.
        self.message_hub = MessageHub.get_instance(f'toy{next(NUMBERS)}')
        self.iter = 0
        self.logger = self
        self.said = []

    def warning(self, text: str) -> None:
        self.said.append(text)

    def step(self, hook, x=1.0, **extra) -> None:
        samples = [BaseDataElement(metainfo=dict(img_path=f'{self.iter}.png'))]
        hook.before_train_iter(self, self.iter, dict(data_samples=samples))
        self.model.extra = extra
        losses = self.model(torch.full((1, 2), x))
        self.optim_wrapper.update_params(
            sum(v for k, v in losses.items() if 'loss' in k)
        )
        hook.after_train_iter(self)
        self.iter += 1

    @property
    def weights(self) -> list:
        return [p.tolist() for p in self.model.parameters()]


def start(runner, **kwargs) -> NonFiniteHook:
    hook = NonFiniteHook(**kwargs)
    hook.before_train(runner)
    runner.step(hook)
    return hook


@pytest.mark.parametrize(
    'step, sentence',
    [
        (dict(x=math.inf), r'loss_a = -?inf|loss_a = nan'),
        (dict(loss_b=torch.tensor(math.nan)), 'loss_b = nan'),
        (dict(loss_b=torch.tensor(math.inf)), 'loss_b = inf'),
    ],
)
def test_a_loss(step, sentence):
    runner = FakeRunner()
    hook = start(runner)
    before = runner.weights
    with pytest.raises(NonFiniteError, match=sentence) as error:
        runner.step(hook, **step)
    assert str(error.value).startswith('Iteration 2: not finite: ')
    assert 'Images: 1.png. No step was taken' in str(error.value)
    assert runner.weights == before


def root_at_zero(runner) -> dict:
    """A loss of 0 whose gradient is not finite."""
    return dict(loss_b=(runner.model.layer.bias * 0).abs().sqrt().sum())


@pytest.mark.parametrize(
    'clip, sentence',
    [
        (None, 'the gradient of layer.bias'),
        (dict(max_norm=1), 'the gradients of all weights'),
    ],
)
def test_a_gradient_behind_a_finite_loss(clip, sentence):
    runner = FakeRunner(clip_grad=clip)
    hook = start(runner)
    before = runner.weights
    with pytest.raises(NonFiniteError, match=sentence):
        runner.step(hook, **root_at_zero(runner))
    assert runner.weights == before


def test_a_value_that_is_no_loss_may_be_nan():
    runner = FakeRunner()
    runner.step(start(runner), acc=torch.tensor(math.nan))


@pytest.mark.parametrize('fault', ['loss', 'gradient'])
def test_skipping(fault):
    runner = FakeRunner()
    hook = start(runner, max_skips=2)
    for skips in (1, 2):
        before = runner.weights
        extra = (
            root_at_zero(runner)
            if fault == 'gradient'
            else dict(loss_b=torch.tensor(math.inf))
        )
        runner.step(hook, **extra)
        # No step at all: neither momentum nor decay.
        assert runner.weights == before
        assert runner.said[-1].endswith(
            f'Skipped: {skips} of at most 2 in this run.'
        )
        runner.step(hook)
        assert runner.weights != before
    assert runner.message_hub.get_info('skipped_batches') == 2
    # A resumed run starts with this count.
    hook = start(runner, max_skips=2)
    with pytest.raises(NonFiniteError, match='2 batches were skipped before'):
        runner.step(hook, loss_b=torch.tensor(math.nan))


def test_accumulated_gradients_name_all_their_images():
    runner = FakeRunner(accumulative_counts=2)
    hook = start(runner)
    runner.step(hook)
    runner.step(hook)
    with pytest.raises(NonFiniteError, match='Images: 2.png, 3.png') as error:
        runner.step(hook, **root_at_zero(runner))
    assert '1.png' not in str(error.value)


def test_skipping_an_accumulated_batch_counts_once():
    runner = FakeRunner(accumulative_counts=2)
    hook = start(runner, max_skips=5)
    runner.step(hook)
    before = runner.weights
    runner.step(hook, loss_b=torch.tensor(math.nan))
    runner.step(hook)
    assert runner.weights == before and hook.skipped == 1
    runner.step(hook)
    runner.step(hook)
    assert runner.weights != before


class Scaler:
    """The step of a loss scaler, which skips batches that overflowed."""

    def __init__(self, runner, overflows: list) -> None:
        self.optimizer = runner.optim_wrapper.optimizer
        self.overflows = overflows
        runner.optim_wrapper.step = self.step

    def step(self) -> None:
        if not self.overflows.pop(0):
            self.optimizer.step()


def test_a_loss_whose_step_the_scaler_skipped():
    runner = FakeRunner()
    hook = start(runner, max_skips=1)
    Scaler(runner, [True, False, False])
    runner.step(hook, loss_b=torch.tensor(math.nan))
    assert hook.skipped == 1
    runner.step(hook)
    # The loss of the skipped batch is not reported again.
    with pytest.raises(NonFiniteError, match='layer.bias. Images: 3.png'):
        runner.step(hook, **root_at_zero(runner))


def test_an_overflow_is_left_to_the_scaler():
    runner = FakeRunner()
    hook = start(runner)
    Scaler(runner, [True])
    before = runner.weights
    runner.step(hook, **root_at_zero(runner))
    assert runner.weights == before
    # A fused optimizer always steps, and reads found_inf.
    runner.optim_wrapper.optimizer.found_inf = torch.tensor(1.0)
    hook.check_gradients(runner.optim_wrapper.optimizer, (), {})


def test_the_forward_pass_is_not_waited_for(monkeypatch):
    runner = FakeRunner()
    start(runner)

    def wait(*args):
        raise AssertionError('the program waits for the device')

    for name in ('item', 'tolist', '__bool__', '__float__'):
        monkeypatch.setattr(torch.Tensor, name, wait)
    runner.model(torch.ones(1, 2))


def test_values_that_are_no_loss_stay_as_they_are():
    runner = FakeRunner()
    start(runner)
    runner.model.extra = dict(
        acc=[torch.tensor([3])],
        names=('a',),
        loss_b=torch.tensor(1e39, dtype=torch.double),
    )
    out = runner.model(torch.ones(1, 2))
    assert out['acc'][0].dtype == torch.int64 and out['names'] == ('a',)
    assert out['loss_b'] == 1e39


def test_a_loss_beyond_single_precision_is_finite():
    runner = FakeRunner()
    runner.step(start(runner), loss_b=torch.tensor(1e39, dtype=torch.double))


def test_nothing_is_left_on_the_model():
    runner = FakeRunner()
    hook = start(runner)
    hook.after_train(runner)
    runner.model.extra = dict(loss_b=torch.tensor(math.nan))
    runner.model(torch.ones(1, 2))


@pytest.mark.parametrize('max_skips', [-1, 1.5, None])
def test_bad_arguments(max_skips):
    with pytest.raises(ValueError, match=f'max_skips .* got {max_skips}'):
        NonFiniteHook(max_skips)
