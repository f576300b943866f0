"""What runs reach on labelled images of the source: what adaptation cost."""

import json
import os.path as osp
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from da_faster.apis.detectors import (
    class_names,
    detect,
    load_detector,
    read_any_config,
)
from da_faster.benchmarking.scores import evaluate
from da_faster.data_check import DataReader
from da_faster.engine.checkpoints.files import candidates
from da_faster.errors import UserError
from da_faster.progress import progress

from .runs import Run, TargetSet
from .scoring import Truth


class SourceScores(NamedTuple):
    """Scores on the source.

    Attributes:
        labels: The annotation file.
        number: How many images it has.
        seen: How many of them are among the first run's training images.
        by_run: Of :func:`evaluate`, by work dir.
    """

    labels: str
    number: int
    seen: int
    by_run: dict[str, dict]

    def caveat(self) -> str:
        """What keeps the scores from saying more; empty: nothing."""
        if not self.seen:
            return ''
        return (
            f'{self.seen} of the {self.number} images of {self.labels} are '
            'among those trained on: the scores on the source say how well '
            'they are remembered.'
        )


def trained_on(run: Run) -> tuple[str, list[str]]:
    """Folder and paths of the source images of a run; '' where unknown."""
    reader = DataReader(run.cfg, ('source',))
    reader.read()
    parts = reader.of('source')
    paths = [path for part in parts for path in part.images]
    return parts[0].folder if parts else '', paths


def detections_of(
    run: Run, truth: Truth, images: str, trust: bool
) -> list[dict]:
    """What a run's last weights detect, as COCO's results.

    Raises:
        UserError: If it has no weights, or an image cannot be looked at.
    """
    found = candidates(run.work_dir)
    if not found:
        raise UserError(
            f'{run.work_dir} has no checkpoint, so its scores on the source '
            'cannot be measured: leave --source-labels out, or bring it.'
        )
    cfg = read_any_config(run.config)
    model = load_detector(cfg, found[0], trust)
    ids = {name: i for i, name in truth.names.items()}
    names = class_names(cfg) or model.dataset_meta['classes']
    results = []
    records = [truth.coco.imgs[i] for i in sorted(truth.coco.imgs)]
    for record in progress(records, len(records), 'source images'):
        boxes = detect(model, osp.join(images, record['file_name']))
        results += [
            dict(
                image_id=record['id'],
                category_id=ids[names[label]],
                bbox=[x, y, right - x, bottom - y],
                score=score,
            )
            for (x, y, right, bottom), label, score in zip(
                boxes.bboxes.tolist(),
                boxes.labels.tolist(),
                boxes.scores.tolist(),
            )
            if names[label] in ids
        ]
    return results


def score_on_source(
    runs: Sequence[Run],
    labels: str,
    images: str | None = None,
    trust: bool = False,
) -> SourceScores:
    """Has runs detect on labelled images of the source, and scores that.

    Args:
        runs (sequence of Run): Their last weights detect.
        labels (str): COCO json.
        images (str, optional): The folder that its file names are in. By
            default that of the first run's training images.
        trust (bool): Load checkpoints that may run code.

    Raises:
        UserError: If labels, images or weights cannot be used.
    """
    folder, paths = trained_on(runs[0])
    images = images or folder
    classes = class_names(runs[0].cfg) or ()
    truth = Truth(TargetSet(labels, images, tuple(classes)))
    known = {osp.realpath(path) for path in paths}
    seen = sum(
        osp.realpath(osp.join(images, record['file_name'])) in known
        for record in truth.coco.imgs.values()
    )
    by_run = {}
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / 'found.json'
        for run in runs:
            found = detections_of(run, truth, images, trust)
            path.write_text(json.dumps(found))
            by_run[run.work_dir] = evaluate(
                labels, str(path), truth.test.classes
            )
    return SourceScores(labels, len(truth.coco.imgs), seen, by_run)
