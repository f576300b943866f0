"""Signals that end a run: one is noted, a second one ends it at once."""

import os
import signal
import time
from unittest import mock

import pytest
import torch
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.hooks import CheckpointHook

from da_faster.engine import PreemptionHook, set_up_cpu_launcher
from da_faster.engine.hooks.preemption_hook import ONE_SIGNAL_S
from launching import fork_ranks


class FakeRunner:
    logger = None


@pytest.fixture
def hook():
    hook = PreemptionHook(['SIGUSR1'])
    hook.before_train(FakeRunner())
    yield hook
    hook.after_train(FakeRunner())


def send() -> None:
    os.kill(os.getpid(), signal.SIGUSR1)


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_one_signal_is_noted(hook):
    assert not hook._stop_together()
    send()
    assert hook._stop_together() and hook.name == 'SIGUSR1'


def test_a_signal_that_the_launcher_repeats_is_no_second_signal(hook):
    send()
    send()
    assert hook._stop_together()


def test_a_second_signal_ends_the_process_at_once(hook):
    child = os.fork()
    if not child:
        hook.pid = os.getpid()
        send()
        hook.received_at -= ONE_SIGNAL_S + 1
        send()
        os._exit(0)
    assert exit_code(child) == 128 + signal.SIGUSR1


def test_a_worker_outlives_the_signal_until_the_program_ends(hook):
    child = os.fork()
    if not child:
        signal.alarm(20)  # so that the test ends if the worker does not
        send()
        while True:
            time.sleep(0.05)
    time.sleep(0.3)
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    hook.leaving[0] = 1
    os.kill(child, signal.SIGUSR1)
    assert exit_code(child) == 0
    hook.leaving[0] = 0


def test_the_old_handlers_come_back():
    before = signal.getsignal(signal.SIGUSR1)
    hook = PreemptionHook(['SIGUSR1'])
    hook.before_train(FakeRunner())
    assert signal.getsignal(signal.SIGUSR1) == hook._receive
    hook.after_train(FakeRunner())
    assert signal.getsignal(signal.SIGUSR1) == before


def test_an_unknown_signal_is_refused():
    with pytest.raises(ValueError, match="'SIGFOO' is not a signal"):
        PreemptionHook(['SIGFOO'])


@pytest.mark.skipif(torch.cuda.is_available(), reason='is about CPUs')
def test_no_process_leaves_before_the_checkpoint_is_written(tmp_path):
    written = tmp_path / 'iter_1.pth'

    class SlowHook(CheckpointHook):
        def _save_checkpoint(self, runner) -> None:
            if get_rank() == 0:
                time.sleep(0.5)
                written.touch()
            self.last_ckpt = str(written)

    def run(*args):
        set_up_cpu_launcher(Config(dict(launcher='pytorch')))
        runner = mock.MagicMock(iter=0, hooks=[SlowHook()])
        hook = PreemptionHook()
        hook.before_train(runner)
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            hook.after_train_iter(runner, 0)
        finally:
            assert written.exists()

    assert fork_ranks(run) == [75, 75]
