"""The progress of a training, read from the scalars that it logs."""

import io
import json
import math
import sys
from pathlib import Path

import pytest

from da_faster.benchmarking import progress
from da_faster.benchmarking.progress import (
    ProgressLines,
    RunProgress,
    training_minutes,
)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still at ``clock[0]`` seconds."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])
    return now


def write(work_dir: Path, *records, timestamp: str = '20260101_000000'):
    path = work_dir / timestamp / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'a') as file:
        for record in records:
            file.write(json.dumps(record) + '\n')
    return path


def at(iteration: int, loss: float = 1.0, seconds: float = 2.0) -> dict:
    """A record as MMEngine writes it in training."""
    return dict(
        lr=0.1, loss=loss, iter=iteration, step=iteration, time=seconds
    )


# And after an evaluation; the step may be an epoch.
EVALUATED = {'coco/bbox_mAP': 0.5, 'time': 0.1, 'step': 0}


def test_a_run_from_start_to_end(tmp_path, clock):
    run = RunProgress(str(tmp_path), max_iters=40, val_interval=20)
    run.update()
    assert str(run) == '0/40, starting'
    seen = []
    for record in (at(10, 1.5), at(20), EVALUATED, at(30), at(40), EVALUATED):
        write(tmp_path, record)
        run.update()
        seen.append(str(run))
    assert seen == [
        '10/40, 0:01:00 left, loss 1.500',
        '20/40, evaluating',
        '20/40, 0:00:40 left, loss 1.000',
        '30/40, 0:00:20 left, loss 1.000',
        '40/40, evaluating',
        '40/40, finishing',
    ]


def test_time_left_runs_down_between_two_records(tmp_path, clock):
    run = RunProgress(str(tmp_path), 40)
    write(tmp_path, at(10, seconds=2.0))
    run.update()
    assert run.time_left == 60
    clock[0] += 25
    run.update()
    assert run.time_left == 35
    clock[0] += 100
    assert run.time_left == 0


def test_without_val_interval_it_evaluates_at_the_end(tmp_path):
    run = RunProgress(str(tmp_path), 40)
    write(tmp_path, at(20))
    run.update()
    assert run.stage == 'training'
    write(tmp_path, at(40))
    run.update()
    assert run.stage == 'evaluating'


def test_minutes_of_an_interrupted_training(tmp_path):
    write(tmp_path, at(10, seconds=3.0), at(20, seconds=99.0))
    write(
        tmp_path, at(20, seconds=3.0), EVALUATED, timestamp='20260102_000000'
    )
    assert training_minutes(str(tmp_path)) == 1.0
    assert math.isnan(training_minutes(str(tmp_path / 'no')))


def test_minutes_of_a_training_in_two_parts(tmp_path):
    """A resume after a burn-in; the parts have different lengths."""
    first = [at(i, seconds=1.0) for i in (10, 20, 30)]
    write(tmp_path, *first, at(40, seconds=3.0))
    assert training_minutes(str(tmp_path)) == 1.0


def test_half_a_line_is_read_when_it_is_whole(tmp_path):
    run = RunProgress(str(tmp_path), 40)
    path = write(tmp_path, at(10))
    line = json.dumps(at(20)) + '\n'
    for part in (line[:15], line[15:]):
        assert run.iteration in (0, 10)
        with open(path, 'a') as file:
            file.write(part)
        run.update()
    assert run.iteration == 20


def test_a_resumed_run_starts_at_its_iteration(tmp_path):
    """Records of the earlier training do not count."""
    write(tmp_path, at(10), at(20), at(30))
    (tmp_path / 'iter_20.pth').touch()
    (tmp_path / 'last_checkpoint').write_text('iter_20.pth')
    run = RunProgress(str(tmp_path), 40)
    run.update()
    assert str(run) == '20/40, starting'
    write(tmp_path, at(30, 0.5), timestamp='20260102_000000')
    run.update()
    assert (run.iteration, run.loss) == (30, 0.5)
    # Killed and resumed once more.
    write(tmp_path, at(22), timestamp='20260103_000000')
    run.update()
    assert run.iteration == 22


@pytest.mark.parametrize('absolute', [False, True])
def test_a_run_resumed_at_its_end_evaluates(tmp_path, absolute):
    path = tmp_path / 'iter_40.pth'
    path.touch()
    (tmp_path / 'last_checkpoint').write_text(
        str(path) if absolute else path.name
    )
    assert str(RunProgress(str(tmp_path), 40)) == '40/40, evaluating'


def test_loss_that_is_not_finite(tmp_path, clock):
    run = RunProgress(str(tmp_path), 40)
    write(tmp_path, at(10, float('nan')))
    run.update()
    assert str(run) == '10/40, 0:01:00 left, loss nan'


def test_watch_applies_the_options(tmp_path):
    config = tmp_path / 'config.py'
    config.write_text('train_cfg = dict(max_iters=40, val_interval=8)')
    run = progress.watch(str(config), str(tmp_path / 'run'))
    assert (run.max_iters, run.val_interval) == (40, 8)
    run = progress.watch(
        str(config),
        str(tmp_path / 'run'),
        ['train_cfg.max_iters=9', 'load_from=x'],
    )
    assert (run.max_iters, run.val_interval) == (9, 8)


def test_plain_lines_where_there_is_no_terminal(
    tmp_path, clock, capsys, monkeypatch
):
    monkeypatch.setenv('FORCE_COLOR', '1')  # as in some CI
    run = RunProgress(str(tmp_path), 40)
    with ProgressLines(2) as lines:
        lines.add('da, seed 0', run)
        for second in range(0, 100, 2):
            clock[0] = 1000.0 + second
            if second == 40:
                write(tmp_path, at(10))
            lines.update()
        lines.remove('da, seed 0')
        lines.count()
    out, err = capsys.readouterr()
    assert out == ''
    assert err.splitlines() == [
        'da, seed 0: 0/40, starting',
        'da, seed 0: 0/40, starting',
        'da, seed 0: 10/40, 0:00:40 left, loss 1.000',
        'da, seed 0: 10/40, 0:00:10 left, loss 1.000',
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bars_in_a_terminal(tmp_path, monkeypatch):
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.setenv('COLUMNS', '80')
    screen = Terminal()
    monkeypatch.setattr(sys, 'stderr', screen)
    write(tmp_path, at(10))
    with ProgressLines(2) as lines:
        lines.add(
            'source-only-jitter, seed 0', RunProgress(str(tmp_path), 70000)
        )
        write(tmp_path, at(12345), timestamp='20260102_000000')
        lines.update()
        lines.count()
        lines._bars.refresh()
    shown = screen.getvalue()
    for text in (
        'runs done',
        '1/2',
        'source-only-jitter, seed 0',
        '12345/70000, 1 day, 8:0',
        'loss 1.000',
    ):
        assert text in shown
    assert shown.count('\x1b[?25l') == shown.count('\x1b[?25h') == 1  # cursor
