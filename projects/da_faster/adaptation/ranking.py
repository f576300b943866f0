"""Ranks the checkpoints of runs by FIS, without a label."""

import json
import math
import sys
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
from da_faster.engine.checkpoints.files import steps_in
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

    One that cannot be loaded is left out, which is said on stderr.

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
        UserError: If a work dir has no config or no checkpoint, or if no
            checkpoint can be loaded.
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
        files = sorted(map(Path, steps_in(str(work_dir))), key=step)
        if len(configs) != 1 or not files:
            raise UserError(
                f'{work_dir} has {len(configs)} configs and {len(files)} '
                'checkpoints iter_N.pth or epoch_N.pth; give the work dir of '
                'one training.'
            )
        seed = work_dir.name.removeprefix('seed')
        score = known.get(work_dir.parent.name, {}).get(seed, math.nan)
        for file in files:
            ap50 = score if file == files[-1] else math.nan
            jobs.append((configs[0], file, ap50))
    refused = []

    def measure(config: Path, file: Path, ap50: float) -> Ranked | None:
        try:
            cfg = read_any_config(str(config))
            model = load_detector(cfg, str(file), trust_checkpoint)
        except UserError as error:
            print(f'Not ranked: {error.sentence}', file=sys.stderr)
            refused.append(error)
            return None
        found = fis(model, lambda: [detect(model, path) for path in paths])
        return Ranked(file, found, ap50)

    done = (measure(*job) for job in jobs)
    ranked = list(filter(None, progress(done, len(jobs), 'checkpoints')))
    if refused and not ranked:
        raise refused[-1]
    return sorted(ranked, key=lambda r: (math.isnan(r.fis), r.fis))


def read_scores(path: str) -> dict[str, dict[str, float]]:
    """By method and seed, AP50 by ``benchmarks/adaptation.py``."""
    try:
        scores = json.loads(Path(path).read_text())['scores']
        return {
            method: {seed: float(run['AP50']) for seed, run in runs.items()}
            for method, runs in scores.items()
        }
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise UserError(
            f'--scores {path} is not the scores.json of '
            f'benchmarks/adaptation.py ({type(error).__name__}: {error}).'
        ) from error


def step(path: Path) -> int:
    """Of ``iter_800.pth`` or ``epoch_800.pth``: 800."""
    return int(path.stem.split('_')[1])


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
