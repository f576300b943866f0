"""Shows the progress of trainings that run as processes of their own."""

import argparse
import json
import math
import os
import re
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from glob import escape, glob

from mmengine.config import DictAction
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn
from rich.table import Column

from da_faster.config_files import read_config
from da_faster.engine.checkpoints.files import resume_candidates
from da_faster.errors import UserError


def is_terminal() -> bool:
    """Returns whether stderr is a terminal that bars can be drawn in."""
    # With FORCE_COLOR rich takes a file for a terminal, so ask stderr.
    return sys.stderr.isatty() and not Console(stderr=True).is_dumb_terminal


class RunProgress:
    """Follows a training by the scalars that it writes.

    Make the object before the training starts: files that exist by then belong
    to an earlier training.

    Args:
        work_dir (str): The work dir of the training.
        max_iters (int): Iterations of the training.
        val_interval (int, optional): Iterations between two evaluations. A
            training always evaluates at its end.

    Attributes:
        iteration (int): The last known iteration. Until the training reports
            an iteration, the one of the checkpoint that it resumes from.
        loss (float): The loss at that iteration; NaN if unknown.
        stage (str): ``starting``, ``training``, ``evaluating`` or
            ``finishing``.
    """

    def __init__(
        self, work_dir: str, max_iters: int, val_interval: int | None = None
    ) -> None:
        self.work_dir = work_dir
        self.max_iters = max_iters
        self.val_interval = val_interval or max_iters
        self.iteration = 0
        self.loss = math.nan
        self._seconds = math.nan  # of an iteration
        self._read_at = time.monotonic()
        self._old = set(self._files())
        self._file, self._offset = '', 0
        for path in resume_candidates(work_dir)[:1]:
            numbers = re.findall(r'\d+', os.path.basename(path))
            self.iteration = int(numbers[-1]) if numbers else 0
        # A run that is resumed at its end only evaluates.
        self.stage = 'starting'
        if self.iteration >= max_iters:
            self.stage = 'evaluating'

    def _files(self) -> list[str]:
        return sorted(
            glob(
                os.path.join(
                    escape(self.work_dir), '*', 'vis_data', 'scalars.json'
                )
            )
        )

    def update(self) -> None:
        """Reads the scalars that were written since the last call."""
        new = [path for path in self._files() if path not in self._old]
        if not new:
            return
        if new[-1] != self._file:  # the first file, or that of the next resume
            self._file, self._offset = new[-1], 0
        with open(self._file, 'rb') as file:
            file.seek(self._offset)
            # The last line may not be complete yet.
            lines, end, _ = file.read().rpartition(b'\n')
        self._offset += len(lines + end)
        for line in lines.splitlines():
            self._take(json.loads(line))

    def _take(self, record: dict) -> None:
        self._read_at = time.monotonic()
        if 'iter' not in record:  # of an evaluation
            over = self.iteration >= self.max_iters
            self.stage = 'finishing' if over else 'training'
            return
        self.iteration = record['iter']
        self.loss = record.get('loss', math.nan)
        self._seconds = record.get('time', math.nan)
        evaluates = (
            self.iteration >= self.max_iters
            or self.iteration % self.val_interval == 0
        )
        self.stage = 'evaluating' if evaluates else 'training'

    @property
    def time_left(self) -> float:
        """Seconds to the end without evaluations; NaN if unknown."""
        left = (self.max_iters - self.iteration) * self._seconds
        return max(left - (time.monotonic() - self._read_at), 0)

    def __str__(self) -> str:
        text = f'{self.iteration}/{self.max_iters}'
        if self.stage != 'training':
            return f'{text}, {self.stage}'
        if not math.isnan(self.time_left):
            text += f', {timedelta(seconds=round(self.time_left))} left'
        return f'{text}, loss {self.loss:.3f}'


def records(work_dir: str) -> dict[int, dict]:
    """Reads the log of a training, without the records of evaluations.

    Where an iteration was repeated after an interruption, the last record
    counts.

    Args:
        work_dir (str): The work dir of the training.

    Raises:
        UserError: If a line is broken. The last line may be incomplete.
    """
    found: dict[int, dict] = {}
    pattern = os.path.join(escape(work_dir), '*', 'vis_data', 'scalars.json')
    for path in sorted(glob(pattern)):
        with open(path) as file:
            lines = file.readlines()
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                step = record.get('iter', record.get('step', 0))
            except (ValueError, AttributeError) as error:
                if number == len(lines) and not line.endswith('\n'):
                    break
                raise UserError(
                    f'{path}, line {number}, is no record of a training '
                    f'({error}): take the line out.'
                ) from error
            if 'iter' not in record:  # of an evaluation, or of a hook
                record = {k: v for k, v in record.items() if k[:6] == 'pseudo'}
            if record:
                found[step] = {**found.get(step, {}), **record}
    return dict(sorted(found.items()))


def training_minutes(work_dir: str) -> float:
    """Sums the minutes of the iterations of a training; NaN if unknown.

    A record has the mean time of an iteration since the record before.
    Evaluations do not count.

    Args:
        work_dir (str): The work dir of the training.
    """
    total, last = 0.0, 0
    for iteration, record in records(work_dir).items():
        if 'time' in record:
            total += record['time'] * (iteration - last)
            last = iteration
    return total / 60 if last else math.nan


def watch(
    config: str, work_dir: str, cfg_options: Sequence[str] = ()
) -> RunProgress:
    """Returns the progress of a training that is about to start.

    Args:
        config (str): The config file.
        work_dir (str): The work dir.
        cfg_options (Sequence[str]): ``KEY=VALUE`` options of tools/train.py.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument('--set', nargs='*', action=DictAction)
    options = parser.parse_args(['--set', *cfg_options]).set
    cfg = read_config(config, options)
    return RunProgress(
        work_dir, cfg.train_cfg.max_iters, cfg.train_cfg.get('val_interval')
    )


class _Spinner(SpinnerColumn):
    """A spinner that also turns after the last iteration, in evaluation."""

    def render(self, task: Task) -> RenderableType:
        return self.spinner.render(task.get_time())


class ProgressLines:
    """Shows the runs under way on stderr, and counts the finished ones.

    A terminal gets a bar for all runs and a bar for each run under way, which
    disappear at the end. Without a terminal each run gets a plain line at once
    and every ``interval`` seconds. The object is a context manager.

    Args:
        total (int): The number of runs.
        interval (float): Seconds between two plain lines of a run.
    """

    def __init__(self, total: int, interval: float = 30.0) -> None:
        self.total = total
        self.interval = interval
        self.done = 0
        self.runs: dict[str, RunProgress] = {}
        self._next: dict[str, float] = {}  # when the plain line is due
        self._bars: Progress | None = None
        if is_terminal():
            text = Column(no_wrap=True)
            self._bars = Progress(
                _Spinner(),
                TextColumn('{task.description}', markup=False),
                BarColumn(bar_width=12),
                TextColumn(
                    '{task.fields[text]}', markup=False, table_column=text
                ),
                console=Console(stderr=True),
                # What is printed to the terminal goes above the bars.
                redirect_stdout=sys.stdout.isatty(),
                transient=True,
            )
            self._all = self._bars.add_task(
                'runs done', total=total, text=f'0/{total}'
            )
            self._tasks: dict = {}

    def __enter__(self) -> 'ProgressLines':
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *exception) -> None:
        if self._bars:
            self._bars.stop()

    def add(self, name: str, run: RunProgress) -> None:
        """Shows a run that starts."""
        self.runs[name] = run
        if self._bars:
            self._tasks[name] = self._bars.add_task(
                name, total=run.max_iters, text=''
            )
        else:
            self._next[name] = -math.inf
        self._draw(name)

    def remove(self, name: str) -> None:
        """Stops showing a run."""
        del self.runs[name]
        if self._bars:
            self._bars.remove_task(self._tasks.pop(name))

    def count(self) -> None:
        """Counts a run as done."""
        self.done += 1
        if self._bars:
            self._bars.update(
                self._all,
                completed=self.done,
                text=f'{self.done}/{self.total}',
            )

    def update(self) -> None:
        """Reads and shows the progress of all runs."""
        for name, run in self.runs.items():
            run.update()
            self._draw(name)

    def _draw(self, name: str) -> None:
        run = self.runs[name]
        if self._bars:
            self._bars.update(
                self._tasks[name], completed=run.iteration, text=str(run)
            )
        elif time.monotonic() >= self._next[name]:
            self._next[name] = time.monotonic() + self.interval
            print(f'{name}: {run}', file=sys.stderr, flush=True)
