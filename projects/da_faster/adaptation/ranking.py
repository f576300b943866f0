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
from da_faster.engine.loops.fis import fis
from da_faster.errors import UserError
from da_faster.listing import spread
from da_faster.progress import progress

STOCK = ('start.py', 'adapted.py')  # tools/adapt.py leaves them, too


class Ranked(NamedTuple):
    """A checkpoint and its FIS.

    Attributes:
        checkpoint (Path): The file.
        fis (float): See ``fis``.
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
    paths = spread(images_below(folder), number)
    known = read_scores(scores) if scores else {}
    jobs = []
    for work_dir in map(Path, work_dirs):
        configs = [
            path
            for path in sorted(work_dir.glob('*.py'))
            if path.name not in STOCK
        ]
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


def read_scores(path: str) -> dict:
    """By method and seed, the scores of ``benchmarks/adaptation.py``."""
    try:
        return json.loads(Path(path).read_text())['scores']
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f'--scores {path} is not the scores.json of '
            f'benchmarks/adaptation.py ({type(error).__name__}: {error}).'
        ) from error


def iteration(path: Path) -> int:
    """Of ``iter_800.pth``: 800."""
    return int(re.sub(r'\D', '', osp.basename(path)) or 0)


def correlation(ranked: Sequence[Ranked]) -> float:
    """Spearman's between -FIS and AP50; 1 where FIS tells the best.

    NaN where fewer than two checkpoints have both.
    """
    pairs = [
        (-r.fis, r.ap50)
        for r in ranked
        if not math.isnan(r.fis) and not math.isnan(r.ap50)
    ]
    if len(pairs) < 2:
        return math.nan
    return float(spearmanr(*zip(*pairs)).statistic)
