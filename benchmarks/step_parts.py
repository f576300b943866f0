"""Where the time of a training iteration goes, as a table and a picture.

    python benchmarks/step_parts.py configs/da_faster_demo.py

trains for some iterations with the config's own loop, loaders and hooks and
adds up what each part takes; on an accelerator it is waited for after each
part. `data` is the time that the loop waits for its batch; what workers load
meanwhile costs only where cores are short.
"""
import os.path as osp
import tempfile
import time
from collections import defaultdict
from typing import Any, Dict, List

import numpy as np
from common import (load_config, machine, make_parser, seconds, synchronize,
                    table, write_in_root)
from mmengine.hooks import Hook
from mmengine.runner import Runner

PARTS = ('data', 'preprocessing', 'backbone', 'RPN', 'RoI head',
         'domain losses', 'one-stage head', 'backward', 'optimizer step',
         'hooks and the rest')
WARM_UP = 3


class TimedIterator:
    """Batches, the waiting for them timed."""

    def __init__(self, iterator, watch: 'Stopwatch') -> None:
        self.next = watch.timed('data', iterator.__next__)
        self.iterator = iterator

    def __next__(self) -> Any:
        return self.next()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.iterator, name)


class Stopwatch(Hook):
    """Adds up the seconds of the parts of each iteration."""

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.spent: Dict[str, float] = defaultdict(float)
        self.iterations: List[Dict[str, float]] = []

    def timed(self, part: str, function):

        def call(*args, **kwargs):
            result = []
            self.spent[part] += seconds(
                lambda: result.append(function(*args, **kwargs)))
            return result[0]

        return call

    def watch(self, part: str, owner, name: str) -> None:
        if hasattr(owner, name):
            setattr(owner, name, self.timed(part, getattr(owner, name)))

    def before_train(self, runner) -> None:
        model = runner.model
        loop = runner.train_loop
        loop.dataloader_iterator = TimedIterator(loop.dataloader_iterator,
                                                 self)
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
        self.begin = time.perf_counter()

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        synchronize()
        now = time.perf_counter()
        rest = now - self.begin - sum(self.spent.values())
        self.iterations.append({**self.spent, 'hooks and the rest': rest})
        self.spent.clear()
        self.begin = now


def measure(cfg, iterations: int) -> Dict[str, float]:
    """Median seconds of each part."""
    for key in ('val', 'test'):
        for part in ('cfg', 'dataloader', 'evaluator'):
            cfg[f'{key}_{part}'] = None
    cfg.train_cfg.update(max_iters=iterations + WARM_UP)
    cfg.train_cfg.pop('val_interval', None)
    cfg.default_hooks.checkpoint = None
    cfg.default_hooks.pop('missed_validation', None)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as work_dir:
        cfg.work_dir = work_dir
        cfg.experiment_name = f'parts{time.monotonic_ns()}'
        cfg.visualizer = dict(
            type='DetLocalVisualizer', name=cfg.experiment_name)
        cfg.log_level = 'WARNING'
        runner = Runner.from_cfg(cfg)
        runner.register_hook(watch)
        runner.train()
    counted = watch.iterations[WARM_UP:]
    return {
        part: float(np.median([spent.get(part, 0.) for spent in counted]))
        for part in PARTS if any(part in spent for spent in counted)
    }


def used_parts(results: Dict[str, Dict[str, float]]) -> List[str]:
    return [p for p in PARTS if any(p in parts for parts in results.values())]


def draw(results: Dict[str, Dict[str, float]], path: str) -> None:
    """A bar a config, a colour a part, as shares of the iteration."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    fig, axes = pyplot.subplots(
        figsize=(9, 1.6 + 0.6 * len(results)), layout='constrained')
    colours = dict(zip(PARTS, pyplot.get_cmap('tab10').colors))
    for row, (name, parts) in enumerate(results.items()):
        total, left = sum(parts.values()), 0.
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
                    fontsize=9)
            left += share
    axes.set_yticks(
        range(len(results)),
        [f'{n}\n{sum(p.values()):.2f} s' for n, p in results.items()])
    axes.set_xlim(0, 100)
    axes.set_xlabel('share of an iteration, %')
    axes.invert_yaxis()
    fig.legend(
        handles=[
            matplotlib.patches.Patch(color=colours[p], label=p)
            for p in used_parts(results)
        ],
        loc='outside lower center',
        ncols=5,
        fontsize=9)
    fig.savefig(path, dpi=100)


def main() -> None:
    parser = make_parser(__doc__, many=True)
    parser.set_defaults(repeats=20)
    parser.add_argument('--out', default='work_dirs/step_parts.png')
    args = parser.parse_args()
    results = {}
    for config in args.configs:
        name = osp.splitext(osp.basename(config))[0]
        results[name] = measure(load_config(args, config), args.repeats)
    print(f'{machine()}; median of {args.repeats} iterations, ms (share)\n')
    rows = [('part', *results)]
    for part in used_parts(results):
        row = [part]
        for parts in results.values():
            if part in parts:
                share = 100 * parts[part] / sum(parts.values())
                row.append(f'{1000 * parts[part]:.0f} ({share:.0f} %)')
            else:
                row.append('')
        rows.append(row)
    print(table(*rows))
    path = write_in_root(args.out)
    draw(results, path)
    print(f'\npicture: {path}')


if __name__ == '__main__':
    main()
