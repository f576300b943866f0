"""Ranks the checkpoints of runs by FIS, without a label."""

import json
import math
import os.path as osp
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from scipy.stats import spearmanr

from da_faster.apis.detectors import (
    detect,
    images_below,
    load_detector,
    read_any_config,
)
from da_faster.errors import UserError
from da_faster.progress import progress

from .fis import fis


class Ranked(NamedTuple):
    """A checkpoint and its FIS.

    Attributes:
        checkpoint (Path): The file.
        fis (float): See :func:`fis`.
        ap50 (float): AP50 in percent by ``scores``; NaN where not known.
    """

    checkpoint: Path
    fis: float
    ap50: float


def rank(
    folder: str,
    work_dirs: Sequence[str],
    number: int = 20,
    scores: str | None = None,
    trust_checkpoint: bool = False,
) -> list[Ranked]:
    """Measures FIS of every checkpoint in some work dirs.

    Args:
        folder (str): Images of the target.
        work_dirs (Sequence[str]): Each with a config and checkpoints.
        number (int): Images to look at, spread over the folder.
        scores (str, optional): The ``scores.json`` of
            ``benchmarks/adaptation.py``, for the last checkpoints of its runs.
        trust_checkpoint (bool): Load checkpoints that may run code.

    Returns:
        list[Ranked]: Lowest FIS first; without a detection, NaN, last.

    Raises:
        UserError: If a work dir has no config or no checkpoint.
    """
    paths = images_below(folder)
    paths = paths[:: max(1, len(paths) // number)][:number]
    known = {}
    if scores:
        with open(scores) as file:
            known = json.load(file)['scores']
    jobs = []
    for work_dir in map(Path, work_dirs):
        configs = sorted(work_dir.glob('*.py'))
        files = sorted(work_dir.glob('iter_*.pth'), key=iteration)
        if len(configs) != 1 or not files:
            raise UserError(
                f'{work_dir} has {len(configs)} configs and {len(files)} '
                'checkpoints iter_N.pth; give the work dir of one training.'
            )
        seed = work_dir.name.removeprefix('seed')
        score = known.get(work_dir.parent.name, {}).get(seed, {})
        for file in files:
            last = file == files[-1]
            ap50 = score.get('AP50', math.nan) if last else math.nan
            jobs.append((configs[0], file, ap50))

    def measure(config: Path, file: Path, ap50: float) -> Ranked:
        cfg = read_any_config(str(config))
        model = load_detector(cfg, str(file), trust_checkpoint)
        found = fis(model, lambda: [detect(model, path) for path in paths])
        return Ranked(file, found, ap50)

    done = (measure(*job) for job in jobs)
    ranked = list(progress(done, len(jobs), 'checkpoints'))
    return sorted(ranked, key=lambda r: (math.isnan(r.fis), r.fis))


def iteration(path: Path) -> int:
    """Of ``iter_800.pth``: 800."""
    return int(re.sub(r'\D', '', osp.basename(path)) or 0)


def correlation(ranked: Sequence[Ranked]) -> float:
    """Spearman's between -FIS and AP50; 1 where FIS tells the best."""
    pairs = [
        (-r.fis, r.ap50)
        for r in ranked
        if not math.isnan(r.fis) and not math.isnan(r.ap50)
    ]
    return float(spearmanr(*zip(*pairs)).statistic)
