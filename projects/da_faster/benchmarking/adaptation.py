"""Trains methods with several seeds and compares their scores."""

import hashlib
import json
import os
import os.path as osp
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from mmengine.config import Config

from da_faster.config_files import path_as_option
from da_faster.errors import UserError
from da_faster.files import write_atomically

from .certainty import Matches, verdicts
from .cluster import Job, Slurm
from .methods import BASELINE, METHODS, find_config, label_files, write_configs
from .progress import ProgressLines, training_minutes, watch
from .scores import describe, draw_dots, evaluate, make_table
from .training import LocalExecutor, train_command

DETECTIONS = 'detections.bbox.json'
# The keys that decide the weights; not the keys of logs and checkpoints.
DECISIVE = (
    'model',
    'train_dataloader',
    'train_cfg',
    'optim_wrapper',
    'param_scheduler',
    'custom_hooks',
    'load_from',
    'val_dataloader',
    'val_evaluator',
)


class Run(NamedTuple):
    """One training of one method with one seed."""

    config: str
    method: str
    seed: int
    work_dir: str

    @property
    def status_file(self) -> str:
        """The file with the run's fingerprint, and whether it has finished."""
        return osp.join(self.work_dir, 'run.json')

    @property
    def detections(self) -> str:
        """The file of detections by the last weights on the test set."""
        return osp.join(self.work_dir, DETECTIONS)

    @property
    def log(self) -> str:
        """The file of the output of the training."""
        return osp.join(self.work_dir, 'train.log')

    def __str__(self) -> str:
        return f'{self.method}, seed {self.seed}'


def fingerprint(run: Run) -> str:
    """Hashes all that decides the weights and scores of a run.

    These are the DECISIVE keys of the config, the options and the annotation
    files.
    """
    cfg = Config.fromfile(run.config).to_dict()
    parts = {key: cfg.get(key) for key in DECISIVE}
    text = json.dumps(parts, sort_keys=True, default=str)
    digest = hashlib.sha256(
        repr((text, METHODS[run.method].arguments)).encode()
    )
    for path in label_files(run.config):
        with open(path, 'rb') as f:
            digest.update(f.read())
    return digest.hexdigest()


def is_finished(run: Run) -> bool:
    """Returns whether a run is complete.

    ``run.json`` is written before the training and again after it.

    Raises:
        UserError: If the work dir holds a run of another config or other data.
    """
    current = fingerprint(run)
    known = dict(fingerprint=None, finished=False)
    if osp.isfile(run.status_file):
        with open(run.status_file) as f:
            known = json.load(f)
    elif not osp.isdir(run.work_dir) or not os.listdir(run.work_dir):
        known['fingerprint'] = current
        write_atomically(json.dumps(known).encode(), run.status_file)
    if known['fingerprint'] != current:
        raise UserError(
            f'{run.work_dir} holds a run of another config or of other data: '
            'move it away, or give another --out.'
        )
    return known['finished']


def set_finished(run: Run) -> None:
    """Marks a run as complete.

    The fingerprint remains that of the start, even if files were edited since.
    """
    with open(run.status_file) as f:
        known = json.load(f)
    write_atomically(
        json.dumps(dict(known, finished=True)).encode(), run.status_file
    )


def command_of(run: Run) -> list[str]:
    """Returns the command line that starts or resumes a training.

    The training writes the detections of its last weights at its end.
    """
    prefix = path_as_option(osp.join(run.work_dir, 'detections'))
    return train_command(
        run.config,
        run.work_dir,
        '--resume',
        'auto',
        '--cfg-options',
        f'randomness.seed={run.seed}',
        f'val_evaluator.outfile_prefix={prefix}',
        'default_hooks.logger.interval=10',  # for the progress
        *METHODS[run.method].arguments,
    )


def check_end(run: Run, code: int) -> None:
    """Raises a UserError, and prints the log, if a training failed."""
    if code == 0 and osp.isfile(run.detections):
        return
    with open(run.log) as file:
        tail = ''.join(file.readlines()[-15:])
    print(f'{run} failed; end of {run.log}:\n{tail}', file=sys.stderr)
    raise UserError(f'{run} failed (exit code {code}): see {run.log}.')


def train_all(
    runs: Sequence[Run],
    jobs: int,
    finish: Callable[[Run, float], None],
    executor: LocalExecutor | Slurm,
) -> None:
    """Trains the unfinished runs, several at a time.

    The progress is shown on stderr. After a failure, the runs under way
    continue to their end and no other run starts. Ctrl-C or another error ends
    the trainings; they can be resumed.

    Args:
        runs (Sequence[Run]): The runs.
        jobs (int): Runs that train at the same time.
        finish (callable): A function to call at the end of each run, with the
            run and its seconds.
        executor (Here or Slurm): Starts the trainings.

    Raises:
        UserError: If a run fails, or if its work dir holds another run.
    """
    waiting = list(runs)
    active: dict[Run, subprocess.Popen | Job] = {}
    begun: dict[Run, float] = {}
    failure = None
    with ProgressLines(len(runs)) as lines:

        def step() -> None:
            while waiting and len(active) < jobs:
                run = waiting.pop(0)
                begun[run] = time.monotonic()
                if is_finished(run):
                    complete(run)
                else:
                    progress = watch(
                        run.config, run.work_dir, METHODS[run.method].arguments
                    )
                    os.makedirs(run.work_dir, exist_ok=True)
                    active[run] = executor.start(command_of(run), run.log)
                    lines.add(str(run), progress)
            for run in list(active):
                code = active[run].poll()
                if code is not None:
                    del active[run]
                    lines.remove(str(run))
                    check_end(run, code)
                    set_finished(run)
                    complete(run)

        def complete(run: Run) -> None:
            finish(run, time.monotonic() - begun[run])
            lines.count()

        try:
            while waiting or active:
                try:
                    step()
                except UserError as error:
                    failure = failure or error
                    waiting.clear()
                lines.update()
                time.sleep(0.5)
        finally:
            if active:
                print(
                    f'Trainings to end: {len(active)}. Each saves a '
                    'checkpoint first; a second Ctrl-C ends them at once.',
                    file=sys.stderr,
                    flush=True,
                )
                executor.end(list(active.values()))
    if failure:
        raise failure


def scored_runs(
    folder: str, methods: Sequence[str]
) -> dict[str, list[Matches]]:
    """Reads the runs of methods that a comparison has scored.

    Args:
        folder (str): The folder that :func:`compare` wrote.
        methods (Sequence[str]): Names of METHODS.

    Returns:
        dict[str, list[Matches]]: By method, a run of each seed that all the
        methods have, in the order of the seeds.

    Raises:
        UserError: If there are no such runs.
    """
    path = osp.join(folder, 'scores.json')
    if not osp.isfile(path):
        raise UserError(
            f'{path} does not exist: run benchmarks/adaptation.py first.'
        )
    try:
        with open(path) as file:
            known = json.load(file)
        known['test'], known['classes'], known['scores']
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f'{path} is not what benchmarks/adaptation.py writes '
            f'({error!r}): run it again.'
        ) from error
    for method in methods:
        if method not in known['scores']:
            raise UserError(
                f'{path} has no {method}, but '
                f'{", ".join(known["scores"]) or "nothing"}.'
            )
    seeds = set.intersection(*(set(known['scores'][m]) for m in methods))
    if not seeds:
        raise UserError(f'{path}: {" and ".join(methods)} share no seed.')
    return {
        method: [
            Matches(
                known['test'],
                osp.join(folder, method, f'seed{seed}', DETECTIONS),
                known['classes'],
            )
            for seed in sorted(seeds, key=int)
        ]
        for method in methods
    }


def compare(
    pair: str,
    out: str,
    seeds: Sequence[int] = (0, 1, 2),
    methods: Sequence[str] | None = None,
    jobs: int | None = None,
    configs: str = 'configs',
    slurm: Mapping | None = None,
) -> str:
    """Trains methods with seeds, scores the LAST weights, makes a table.

    Finished runs are kept, interrupted runs are resumed. A line is printed for
    each run. The paths in the configs must be relative to the current folder.

    Args:
        pair (str): The end of the configs' names, e.g. ``demo``, or the path
            of a config made from the template.
        out (str): Folder for ``METHOD/seedN``, ``table.md``, ``dots.png`` and
            ``scores.json``.
        seeds (Sequence[int]): The seeds.
        methods (Sequence[str], optional): Names of METHODS. Default: all that
            the pair has a config for.
        jobs (int, optional): Runs that train at the same time. Default: one,
            and on a cluster all.
        configs (str): The folder of configs.
        slurm (dict, optional): Train as jobs of a SLURM cluster, with these
            options of :class:`~da_faster.benchmarking.cluster.Slurm`.

    Returns:
        str: The table, in Markdown.

    Raises:
        UserError: If a config is missing or a run fails.
    """
    out = osp.abspath(out)
    title = pair
    if pair.endswith('.py'):
        title, configs = osp.basename(pair)[:-3], osp.join(out, 'configs')
        write_configs(pair, configs)
        pair = 'custom'
    found = {m: find_config(configs, m, pair) for m in methods or METHODS}
    missing = [m for m, config in found.items() if config is None]
    if not methods:
        found = {m: config for m, config in found.items() if config}
    if not found or methods and missing:
        prefix = METHODS[missing[0]].config if methods else '*'
        raise UserError(
            f'{configs} has no {prefix}_{pair}.py, in no folder: '
            'check the name of the pair.'
        )
    runs = [
        Run(found[method], method, seed, osp.join(out, method, f'seed{seed}'))
        for seed in seeds
        for method in found
    ]
    ann_file = label_files(runs[0].config)[1]
    dataset = Config.fromfile(runs[0].config).val_dataloader.dataset
    classes = dataset.metainfo.classes
    scores: dict[str, dict] = {method: {} for method in found}
    done: list[Run] = []

    def finish(run: Run, seconds: float) -> None:
        score = evaluate(ann_file, run.detections, classes)
        score['minutes'] = training_minutes(run.work_dir)
        scores[run.method][run.seed] = score
        done.append(run)
        print(
            f'[{len(done)}/{len(runs)}] {run}: AP50 {score["AP50"]:.1f}, '
            f'AP {score["AP"]:.1f} ({seconds:.0f} s)',
            flush=True,
        )

    executor: LocalExecutor | Slurm
    if slurm is None:
        jobs = jobs or 1
        executor = LocalExecutor(jobs)
    else:
        jobs = jobs or len(runs)
        executor = Slurm(slurm, osp.join(out, 'slurm'))
    train_all(runs, jobs, finish, executor)
    labels = {m: METHODS[m].label or m for m in scores}
    table = make_table(scores, seeds, labels)
    table += '\n\n' + describe(ann_file, seeds)
    if len(found) > 1:
        matches = {m: [] for m in found}
        for run in sorted(runs, key=lambda run: run.seed):
            matches[run.method].append(
                Matches(ann_file, run.detections, classes)
            )
        baseline = BASELINE if BASELINE in found else next(iter(found))
        table += '\n\n' + verdicts(matches, baseline, labels)
    with open(osp.join(out, 'table.md'), 'w') as file:
        file.write(table + '\n')
    with open(osp.join(out, 'scores.json'), 'w') as file:
        known = dict(
            test=osp.abspath(ann_file), classes=classes, scores=scores
        )
        json.dump(known, file, indent=1)
    draw_dots(scores, labels, title, osp.join(out, 'dots.png'))
    return table
