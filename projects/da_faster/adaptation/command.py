"""Adapts a detector, from a config and a checkpoint to ``adapted.pth``."""

import copy
import os.path as osp
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from mmengine.config import Config

from da_faster.apis import test, train
from da_faster.config_files import read_config
from da_faster.datasets.target_dataset import images_below
from da_faster.detectors import Detector, score_bounds, scores_are_sigmoids
from da_faster.files import write_atomically
from da_faster.listing import choose_evenly

from .export import export
from .loaders import measured_pipeline
from .plan import Plan, make_plan
from .resuming import prepare_resume
from .settings import Settings, checked_blend
from .verdict import Verdict, compare
from .work_dir import WorkDir

COMPARED = 30  # images that the verdict looks at


class Adapted(NamedTuple):
    """The result of :func:`adapt`.

    Attributes:
        checkpoint (Path): Weights for stock MMDetection.
        config (Path): The config of these weights.
        verdict (Verdict): A comparison that needs no labels.
        before (dict): Metrics of the original detector; empty without
            labels.
        after (dict): Metrics of the adapted detector; empty without labels.
        source_free (bool): Whether the detector learned from no labelled
            image.
    """

    checkpoint: Path
    config: Path
    verdict: Verdict
    before: dict
    after: dict
    source_free: bool


def adapt(
    config: str,
    checkpoint: str,
    target: str,
    work_dir: str | None = None,
    options: Mapping | None = None,
    resume: bool = False,
    skip_data_check: bool = False,
    trust_checkpoint: bool = False,
    say=print,
    **settings,
) -> Adapted | None:
    """Adapts a detector to a folder of images, as ``tools/adapt.py``.

    Args:
        config (str): A config file, or ``mmdet::NAME`` or ``da_faster::NAME``.
        checkpoint (str): The checkpoint of the detector, a file or a URL.
        target (str): A folder of images.
        work_dir (str, optional): The folder to write to. Default: below
            ``work_dirs/``, by the names of the config and of the target.
        options (dict, optional): Overrides of the adaptation's config, by
            dotted key.
        resume (bool): Continue an adaptation that was interrupted, with the
            options and settings of its start.
        skip_data_check (bool): Continue whatever the data check finds.
        trust_checkpoint (bool): Load a checkpoint that may run code.
        say (callable): Called with each line to show.
        **settings: Any of ``Settings``: ``source``, ``iters``,
            ``test_labels``, ``test_images``, ``target_labels``, ``share``,
            ``blend``.

    Returns:
        Adapted: None where the training was asked to leave before its end.

    Raises:
        UserError: If something given cannot be used. Nothing of an earlier
            adaptation is replaced.
    """
    name = f'{Path(config).stem}_to_{Path(target).resolve().name}'
    files = WorkDir(work_dir or osp.join('work_dirs', name))
    images = images_below(target)
    if resume:
        prepare_resume(files, target, checkpoint, not skip_data_check, say)
    else:
        files.check_free()
        detector = Detector.read(config, checkpoint, trust_checkpoint)
        chosen = Settings(target, **settings)
        check = not skip_data_check
        plan = make_plan(detector, chosen, files, options, check)
        begin(plan, files, say)
    cfg = read_config(files.config)
    checked_blend(cfg, files.config)
    with nullcontext() if resume else files.cleared_without_checkpoint():
        finished = train(
            without_file(cfg, 'adapt'),
            work_dir=str(files.folder),
            resume='auto' if resume else None,
            data_check=False,  # the plan, or the resume, has checked the data
        )
    if not finished:
        return None
    original = Detector.read(str(files.start.with_suffix('.py')), files.start)
    export(original, cfg, files)
    before, after = {}, {}
    if cfg.get('test_evaluator'):
        before = measure_original(original, cfg)
        after = test(
            without_file(cfg, 'adapt'),
            str(files.adapted),
            work_dir=str(files.folder),
        )
    verdict = compare(
        files.start,
        files.adapted,
        choose_evenly(images, COMPARED),
        threshold_of(cfg),
    )
    return Adapted(
        files.adapted,
        files.adapted.with_suffix('.py'),
        verdict,
        before,
        after,
        cfg.train_cfg.type == 'TargetLoop',
    )


def begin(plan: Plan, files: WorkDir, say) -> None:
    """Writes the original detector, and the config of the adaptation."""
    for line in plan.notes:
        say(line)
    with files.reserved():
        plan.original.write(files.start, force=True)
        checkpoint = plan.config.adaptation.checkpoint
        number = len(plan.original.state)
        say(f'{files.start}: {number} tensors of {checkpoint}')
        text = plan.config.pretty_text
        write_atomically(text.encode(), str(files.config))
    say(
        f'{files.config}: the config, to edit and to train with tools/train.py'
    )


def without_file(cfg: Config, name: str) -> Config:
    """Copies a config to run; Runner will not write over the config's file.

    Args:
        cfg (Config): The config of the adaptation.
        name (str): The name of the run in its log, unless the config has one.
    """
    cfg = Config(cfg.to_dict())
    cfg.setdefault('experiment_name', name)
    return cfg


def measure_original(original: Detector, cfg: Config) -> dict:
    """Measures the original detector, which no option has changed.

    Args:
        original (Detector): The detector, ``start.py`` and ``start.pth``.
        cfg (Config): The config of the adaptation. Its test images and its
            evaluator are taken.

    Returns:
        dict: Metrics by name.
    """
    cfg = without_file(cfg, 'start')
    cfg.model = copy.deepcopy(original.stock.model)
    cfg.custom_hooks = []
    cfg.test_dataloader.dataset.pipeline = measured_pipeline(original)
    # In the work dir of the adaptation, the log of this test would be taken
    # for the log of the adaptation.
    with TemporaryDirectory() as folder:
        return test(cfg, original.checkpoint, work_dir=folder)


def threshold_of(cfg: Config) -> float:
    """Returns the lowest score of a confident detection."""
    labels = cfg.model.get('pseudo_labels') or {}
    threshold = labels.get('threshold')
    if isinstance(threshold, (int, float)):
        return threshold
    # The threshold is one for each class, or 'frequency'.
    return score_bounds(scores_are_sigmoids(cfg.model))[0]
