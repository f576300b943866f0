"""Reads work dirs: config, log, detections and test set of each training."""

import os.path as osp
import re
import shlex
from collections.abc import Sequence
from glob import escape, glob
from typing import NamedTuple

from mmengine.config import Config

from da_faster.benchmarking.adaptation import DETECTIONS
from da_faster.benchmarking.methods import METHODS
from da_faster.benchmarking.progress import records
from da_faster.config_files import path_as_option
from da_faster.config_tree import unwrapped_datasets
from da_faster.engine.checkpoints.files import resume_candidates
from da_faster.errors import UserError


class TargetSet(NamedTuple):
    """Labelled images of the target.

    Attributes:
        ann_file: COCO json of the images.
        images: The folder that the file names of the json are in.
        classes: Names of the classes; empty for all classes of the json.
    """

    ann_file: str
    images: str
    classes: tuple


class Run(NamedTuple):
    """A training, finished or not.

    Attributes:
        work_dir: The work dir.
        method: The folder that holds the work dirs of all seeds, or the work
            dir itself.
        seed: The seed; None where the config sets none.
        cfg: The config of the training.
        config: Path of the config file.
        records: Logged values, by iteration.
    """

    work_dir: str
    method: str
    seed: int | None
    cfg: Config
    config: str
    records: dict

    @property
    def detections(self) -> str | None:
        """Path of the detections on the test set; None if there is none."""
        path = osp.join(self.work_dir, DETECTIONS)
        return path if osp.isfile(path) else None

    @property
    def role(self) -> str:
        """The set of the detections: ``val`` or ``test``.

        ``benchmarks/adaptation.py`` writes those of the last validation.
        """
        marked = osp.isfile(osp.join(self.work_dir, 'run.json'))
        return 'val' if marked else 'test'

    def evaluator(self) -> tuple[str, dict]:
        """Finds the metric that has an annotation file.

        Returns:
            tuple[str, dict]: Dotted key and config of the metric; '' and {}
            if no metric has an annotation file.
        """
        key = f'{self.role}_evaluator'
        found = self.cfg.get(key) or []
        several = isinstance(found, (list, tuple))
        for index, item in enumerate(found if several else [found]):
            if item.get('ann_file'):
                return f'{key}.{index}' if several else key, item
        return '', {}

    def test_set(self) -> TargetSet | None:
        """Labelled target images; None where the config names none."""
        _, evaluator = self.evaluator()
        loader = self.cfg.get(f'{self.role}_dataloader')
        if not evaluator or not loader:
            return None
        dataset = next(unwrapped_datasets(loader))
        folder = (dataset.get('data_prefix') or {}).get('img', '')
        return TargetSet(
            evaluator.ann_file,
            osp.join(dataset.get('data_root') or '', folder),
            tuple((dataset.get('metainfo') or {}).get('classes', ())),
        )

    def caveats(self) -> list[str]:
        """Says what the report cannot show of this run, a sentence each."""
        said = []
        last = max(self.records)
        planned = (self.cfg.get('train_cfg') or {}).get('max_iters', last)
        if last < planned:
            said.append(
                f'{self.work_dir} has come to iteration {last} of {planned}: '
                'its numbers come from an unfinished training.'
            )
        key, _ = self.evaluator()
        if not key:
            said.append(
                f'{self.work_dir} was trained without labelled target images '
                f'({self.role}_evaluator), so only its training can be shown.'
            )
        elif not self.detections and self.role == 'val':
            said.append(
                f'{self.work_dir} has no {DETECTIONS}, so nothing is known of '
                'it on the target; benchmarks/adaptation.py writes it at the '
                'end of the training.'
            )
        elif not self.detections:
            said.append(
                f'{self.work_dir} has no {DETECTIONS}, so nothing is known of '
                f'it on the target; {self.how_to_detect(key)}'
            )
        elif self.has_newer_weights():
            said.append(
                f'{self.detections} is older than the last checkpoint beside '
                'it: make it again if you continued the training.'
            )
        return said

    def how_to_detect(self, evaluator: str) -> str:
        """Gives the command that makes the detections.

        Args:
            evaluator (str): Dotted key of the metric.
        """
        checkpoint = (resume_candidates(self.work_dir) or ['CHECKPOINT'])[0]
        prefix = osp.join(self.work_dir, DETECTIONS.split('.')[0])
        try:
            prefix = path_as_option(prefix)
        except UserError as error:
            return str(error)
        command = shlex.join(
            ['python', 'tools/test.py', self.config, checkpoint]
            + ['--work-dir', self.work_dir]
            + ['--cfg-options', f'{evaluator}.outfile_prefix={prefix}']
        )
        return f'make it with: {command}'

    def has_newer_weights(self) -> bool:
        """Whether the last weights are newer than the detections."""
        weights = resume_candidates(self.work_dir)[:1]
        # A copy of the folder has its files within a minute of each other.
        return any(
            osp.getmtime(path) > osp.getmtime(self.detections) + 60
            for path in weights
            if osp.isfile(path)
        )


class Method(NamedTuple):
    """Runs that differ in their seed alone.

    Attributes:
        name: The name that is shown.
        runs: The runs, in the order of their seeds.
        oracle: Whether the runs learned from the target's labels.
        control: Whether the runs are a control: a method with its effect
            switched off.
    """

    name: str
    runs: list[Run]
    oracle: bool
    control: bool


def log_files(work_dir: str) -> list[str]:
    """Finds the log files of a training, the oldest first."""
    pattern = osp.join(escape(work_dir), '*', 'vis_data', 'scalars.json')
    return sorted(glob(pattern))


def work_dirs_in(folder: str) -> list[str]:
    """Finds work dirs: the folder itself, or SEED or METHOD/SEED inside it.

    Raises:
        UserError: If there is no work dir.
    """
    if not osp.isdir(folder):
        raise UserError(f'{folder} is no folder; give a work dir.')
    if log_files(folder):
        return [folder]
    known = list(METHODS)

    def order(path: str) -> tuple:
        method = osp.basename(osp.dirname(path))
        rank = known.index(method) if method in known else len(known)
        number = re.findall(r'\d+', osp.basename(path))
        return rank, method, int((number or [0])[-1])

    for pattern in ('seed*', '*/seed*'):
        found = glob(osp.join(escape(folder), pattern))
        if found := [path for path in found if log_files(path)]:
            return sorted(found, key=order)
    if glob(osp.join(escape(folder), '*', 'vis_data')):
        raise UserError(
            f'{folder} has logged no iteration: wait, or train for longer '
            'than default_hooks.logger.interval.'
        )
    raise UserError(
        f'{folder} holds no training (*/vis_data/scalars.json): give the '
        'work dir of tools/train.py, or a folder with one for each seed.'
    )


def read_run(work_dir: str) -> Run:
    """Reads a work dir.

    Raises:
        UserError: If the work dir has no log or no config of a training.
    """
    logged = records(work_dir)
    if not logged:
        raise UserError(
            f'{work_dir} has logged no iteration yet: wait for the training '
            'or leave it out.'
        )
    # The newest folder may be one that tools/test.py wrote.
    for path in reversed(log_files(work_dir)):
        config = osp.join(osp.dirname(path), 'config.py')
        with open(path) as file:
            if '"iter"' in file.read() and osp.isfile(config):
                break
    else:
        raise UserError(
            f'{work_dir} has no */vis_data/config.py of its training: copy '
            'the whole work dir.'
        )
    try:
        # Custom imports of the config may be missing here; none is needed.
        cfg = Config.fromfile(config, import_custom_modules=False)
    except Exception as error:  # whatever the code in it raises
        raise UserError(f'{config} is not a config ({error}).') from error
    parent, name = osp.split(osp.abspath(work_dir))
    number = re.fullmatch(r'seed(\d+)', name)
    return Run(
        work_dir,
        parent if number else osp.abspath(work_dir),
        int(number[1])
        if number
        else (cfg.get('randomness') or {}).get('seed'),
        cfg,
        config,
        logged,
    )


def read_methods(folders: Sequence[str]) -> list[Method]:
    """Reads work dirs and groups them by method.

    Args:
        folders (sequence of str): Work dirs, or folders that hold them.

    Returns:
        list[Method]: The methods, in the order of ``folders``.

    Raises:
        UserError: If a folder is no work dir and holds none.
    """
    paths = [path for folder in folders for path in work_dirs_in(folder)]
    paths = {osp.realpath(path): path for path in paths}.values()
    runs: dict[str, list[Run]] = {}
    for run in map(read_run, paths):
        runs.setdefault(run.method, []).append(run)
    names = [osp.basename(path) for path in runs]
    methods = []
    for path, found in runs.items():
        name = osp.basename(path)
        known = METHODS.get(name)
        shown = (known and known.label) or name
        if names.count(name) > 1:
            shown = f'{osp.basename(osp.dirname(path))}/{name}'
        methods.append(
            Method(
                shown,
                found,
                oracle=name.startswith('oracle'),
                control='control' in name,
            )
        )
    return methods
