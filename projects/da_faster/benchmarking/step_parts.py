"""Finds out where the time of a training iteration goes."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from .speed import seconds, shown, synchronize

PARTS = (
    'data',
    'preprocessing',
    'backbone',
    'RPN',
    'RoI head',
    'domain losses',
    'one-stage head',
    'backward',
    'optimizer step',
    'hooks and the rest',
)
WARM_UP = 3


class TimedIterator:
    """Passes batches on and times the wait for them."""

    def __init__(self, iterator, watch: 'Stopwatch') -> None:
        self.next = watch.timed('data', iterator.__next__)
        self.iterator = iterator

    def __next__(self) -> Any:
        return self.next()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.iterator, name)


class Stopwatch(Hook):
    """Adds up the seconds of the parts of each iteration.

    Args:
        iterations (int): How many iterations the run has, for the progress.
    """

    priority = 'LOWEST'

    def __init__(self, iterations: int) -> None:
        self.shown = shown(
            [f'iteration {n + 1} of {iterations}' for n in range(iterations)]
        )
        self.spent: dict[str, float] = defaultdict(float)
        self.iterations: list[dict[str, float]] = []

    def timed(self, part: str, function: Callable) -> Callable:
        """Wraps a function so that its seconds count for a part."""

        def call(*args, **kwargs):
            result = []
            self.spent[part] += seconds(
                lambda: result.append(function(*args, **kwargs))
            )
            return result[0]

        return call

    def watch(self, part: str, owner: Any, name: str) -> None:
        """Times a method of an object, if it has such a method."""
        if hasattr(owner, name):
            setattr(owner, name, self.timed(part, getattr(owner, name)))

    def before_train(self, runner) -> None:
        model = runner.model
        loop = runner.train_loop
        loop.dataloader_iterator = TimedIterator(
            loop.dataloader_iterator, self
        )
        self.watch('preprocessing', model.data_preprocessor, 'forward')
        self.watch('backbone', model, 'extract_feat')
        if getattr(model, 'with_rpn', False):
            if hasattr(loop, 'target_dataloader'):
                self.watch('RPN', model, 'rpn_loss')
                self.watch('RoI head', model.roi_head, 'loss_both_domains')
            else:
                self.watch('RPN', model.rpn_head, 'loss_and_predict')
                self.watch('RoI head', model.roi_head, 'loss')
        else:
            self.watch('one-stage head', model.bbox_head, 'loss')
        if hasattr(loop, 'target_dataloader'):
            self.watch('domain losses', model, 'domain_loss')
        self.watch('backward', runner.optim_wrapper, 'backward')
        self.watch('optimizer step', runner.optim_wrapper, 'step')
        next(self.shown)
        self.begin = time.perf_counter()

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        synchronize()
        now = time.perf_counter()
        rest = now - self.begin - sum(self.spent.values())
        self.iterations.append({**self.spent, 'hooks and the rest': rest})
        self.spent.clear()
        next(self.shown, None)
        self.begin = time.perf_counter()


def measure(cfg: Config, iterations: int) -> dict[str, float]:
    """Trains for some iterations and gives the median seconds of each part.

    Args:
        cfg (Config): The train config; it is changed.
        iterations (int): How many count; WARM_UP more come before.
    """
    for key in ('val', 'test'):
        for part in ('cfg', 'dataloader', 'evaluator'):
            cfg[f'{key}_{part}'] = None
    cfg.train_cfg.update(max_iters=iterations + WARM_UP)
    cfg.train_cfg.pop('val_interval', None)
    cfg.default_hooks.checkpoint = None
    cfg.default_hooks.pop('missed_validation', None)
    watch = Stopwatch(iterations + WARM_UP)
    with tempfile.TemporaryDirectory() as work_dir:
        cfg.work_dir = work_dir
        cfg.experiment_name = f'parts{time.monotonic_ns()}'
        cfg.visualizer = dict(
            type='DetLocalVisualizer', name=cfg.experiment_name
        )
        cfg.log_level = 'WARNING'
        runner = Runner.from_cfg(cfg)
        runner.register_hook(watch)
        with closing(watch.shown):
            runner.train()
    counted = watch.iterations[WARM_UP:]
    return {
        part: float(np.median([spent.get(part, 0.0) for spent in counted]))
        for part in PARTS
        if any(part in spent for spent in counted)
    }


def used_parts(results: dict[str, dict[str, float]]) -> list[str]:
    """Names the parts that occur in any of the results."""
    return [p for p in PARTS if any(p in parts for parts in results.values())]


def draw(results: dict[str, dict[str, float]], path: str) -> None:
    """Draws a bar for each config: the shares of the parts.

    Args:
        results (dict): Of :func:`measure`, by the name of the config.
        path (str): The picture to write.
    """
    fig = Figure(figsize=(9, 1.6 + 0.6 * len(results)), layout='constrained')
    axes = fig.subplots()
    colours = dict(zip(PARTS, colormaps['tab10'].colors))
    for row, parts in enumerate(results.values()):
        total, left = sum(parts.values()), 0.0
        for part, spent in parts.items():
            share = 100 * spent / total
            axes.barh(row, share, left=left, color=colours[part])
            if share >= 3:
                axes.text(
                    left + share / 2,
                    row,
                    f'{share:.0f} %',
                    ha='center',
                    va='center',
                    color='white',
                    fontsize=9,
                )
            left += share
    axes.set_yticks(
        range(len(results)),
        [f'{n}\n{sum(p.values()):.2f} s' for n, p in results.items()],
    )
    axes.set_xlim(0, 100)
    axes.set_xlabel('share of an iteration, %')
    axes.invert_yaxis()
    fig.legend(
        handles=[
            Patch(color=colours[p], label=p) for p in used_parts(results)
        ],
        loc='outside lower center',
        ncols=5,
        fontsize=9,
    )
    fig.savefig(path, dpi=100)
