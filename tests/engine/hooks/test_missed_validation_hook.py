"""Validations that a resumed run repeats, and those it does not."""

from types import SimpleNamespace

import pytest
from mmengine.logging import MMLogger
from mmengine.runner import IterBasedTrainLoop

from da_faster.engine import MissedValidationHook
from da_faster.engine.hooks.missed_validation_hook import MARK


@pytest.fixture
def make_runner(tmp_path):
    """A runner that begins at an iteration and counts its validations."""

    def make(iteration: int):
        loop = object.__new__(IterBasedTrainLoop)
        loop._iter, loop._max_iters = iteration, 4
        loop.val_begin, loop.val_interval = 1, 2
        runner = SimpleNamespace(
            work_dir=str(tmp_path),
            train_loop=loop,
            iter=iteration,
            validations=0,
            logger=MMLogger.get_instance('test'),
        )

        def run():
            runner.validations += 1

        runner.val_loop = SimpleNamespace(run=run)
        return runner

    return make


def test_a_missed_validation_is_done_once(make_runner):
    hook, runner = MissedValidationHook(), make_runner(2)
    hook.before_train(runner)
    assert runner.validations == 1
    hook.after_val_epoch(runner)
    again = make_runner(2)
    MissedValidationHook().before_train(again)
    assert again.validations == 0


def test_no_validation_is_due_between_two(make_runner):
    runner = make_runner(3)
    MissedValidationHook().before_train(runner)
    assert runner.validations == 0


def test_the_mark_of_an_earlier_run_does_not_count(make_runner, tmp_path):
    (tmp_path / MARK).write_text('2')
    MissedValidationHook().before_train(make_runner(0))  # a fresh run
    resumed = make_runner(2)  # killed before its validation
    MissedValidationHook().before_train(resumed)
    assert resumed.validations == 1
