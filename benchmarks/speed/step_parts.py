"""Measures the parts of a training iteration."""

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
from torch import nn

from .measuring import seconds, shown, synchronize
from .teacher_step import HOOK, Work, has_teacher, learner

PARTS = (
    'data',
    'preprocessing',
    'backbone',
    'RPN',
    'RoI head',
    'domain losses',
    'one-stage head',
    'teacher',
    'pseudo-labels',
    'distillation',
    'backward',
    'optimizer step',
    'teacher update',
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
    """Sums the seconds of each part of an iteration.

    Args:
        iterations (int): Iterations of the run, for the progress.
    """

    priority = 'LOWEST'

    def __init__(self, iterations: int) -> None:
        self.shown = shown(
            [f'iteration {n + 1} of {iterations}' for n in range(iterations)]
        )
        self.spent: dict[str, float] = defaultdict(float)
        self.iterations: list[dict[str, float]] = []
        self.works: list[dict[str, int]] = []

    def timed(self, part: str, function: Callable) -> Callable:
        """Wraps a function so that its seconds count for a part.

        The seconds of other parts inside the function do not count.
        """

        def call(*args, **kwargs):
            result = []
            before = sum(self.spent.values())
            total = seconds(lambda: result.append(function(*args, **kwargs)))
            self.spent[part] += total - (sum(self.spent.values()) - before)
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
        detector = learner(model)
        self.watch('backbone', detector, 'extract_feat')
        if getattr(detector, 'with_rpn', False):
            # Both domains in one pass, or one domain.
            self.watch('RPN', detector, 'rpn_loss')
            self.watch('RPN', detector.rpn_head, 'loss_and_predict')
            self.watch('RoI head', detector.roi_head, 'loss_both_domains')
            self.watch('RoI head', detector.roi_head, 'loss')
        else:
            self.watch('one-stage head', detector.bbox_head, 'loss')
        self.watch('domain losses', detector, 'domain_loss')
        self.work = Work(model)
        if has_teacher(model):
            self.watch_teacher(model, runner.hooks)
        self.watch('backward', runner.optim_wrapper, 'backward')
        self.watch('optimizer step', runner.optim_wrapper, 'step')
        next(self.shown)
        self.begin = time.perf_counter()

    def watch_teacher(self, model: nn.Module, hooks: list) -> None:
        """Times what a MeanTeacher adds to its student's step."""
        self.watch('teacher', model.teacher, 'predict')
        self.watch('pseudo-labels', model.pseudo_labels, 'select')
        if model.distillation:
            self.watch('distillation', model.distillation, 'forward')
            self.watch('teacher', model.teacher.roi_head, '_bbox_forward')
        for hook in hooks:
            self.watch('teacher update', hook, 'momentum_update')

    def before_train_iter(
        self, runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        if self.work.stand_in:
            samples = data_batch['data_samples']
            self.begin += seconds(lambda: self.work.stand_in.show(samples))

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        synchronize()
        now = time.perf_counter()
        rest = now - self.begin - sum(self.spent.values())
        self.iterations.append({**self.spent, 'hooks and the rest': rest})
        self.spent.clear()
        self.works.append(self.work.take())
        next(self.shown, None)
        self.begin = time.perf_counter()


def measure(
    cfg: Config, iterations: int
) -> tuple[dict[str, float], dict[str, int]]:
    """Trains for some iterations and measures the parts.

    A MeanTeacher trains on the target from the first iteration on, with a
    StandIn.

    Args:
        cfg (Config): The train config; changed in place.
        iterations (int): Iterations that count, after WARM_UP others.

    Returns:
        tuple[dict, dict]: Median seconds of each part, and medians of the
        counts of :meth:`Work.take`.
    """
    for key in ('val', 'test'):
        for part in ('cfg', 'dataloader', 'evaluator'):
            cfg[f'{key}_{part}'] = None
    cfg.train_cfg.update(max_iters=iterations + WARM_UP)
    cfg.train_cfg.pop('val_interval', None)
    cfg.default_hooks.checkpoint = None
    cfg.default_hooks.pop('missed_validation', None)
    for hook in cfg.get('custom_hooks') or []:
        if hook['type'] == HOOK:
            hook['burn_in'] = 0
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
    counted, works = watch.iterations[WARM_UP:], watch.works[WARM_UP:]
    parts = {
        part: float(np.median([spent.get(part, 0.0) for spent in counted]))
        for part in PARTS
        if any(part in spent for spent in counted)
    }
    return parts, {
        kind: round(float(np.median([work.get(kind, 0) for work in works])))
        for kind in works[0]
    }


def used_parts(results: dict[str, dict[str, float]]) -> list[str]:
    """Names the parts that occur in any of the results."""
    return [p for p in PARTS if any(p in parts for parts in results.values())]


def draw(results: dict[str, dict[str, float]], path: str) -> None:
    """Draws a bar for each config: the shares of the parts.

    Args:
        results (dict): Seconds of each part, by the name of the config.
        path (str): The picture to write.
    """
    fig = Figure(figsize=(9, 1.6 + 0.6 * len(results)), layout='constrained')
    axes = fig.subplots()
    colours = dict(zip(PARTS, colormaps['tab20'].colors))
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
