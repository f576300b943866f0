"""Scores of runs on labelled source images: what adaptation costs there."""

import json
import os.path as osp
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from da_faster.benchmarking.scores import evaluate
from da_faster.coco_files import coco_detections
from da_faster.data_check import DataReader
from da_faster.detectors import Detector, detect
from da_faster.engine.checkpoints.files import resume_candidates
from da_faster.errors import UserError
from da_faster.progress import progress

from .runs import Run, TargetSet
from .scoring import Truth


class SourceScores(NamedTuple):
    """Scores of runs on the source.

    Attributes:
        labels: Path of the annotation file.
        number: Number of images in the annotation file.
        seen: Number of these images that the first run was trained on.
        by_run: Scores of :func:`evaluate`, by work dir.
    """

    labels: str
    number: int
    seen: int
    by_run: dict[str, dict]

    def caveat(self) -> str:
        """Warns of images that a run was trained on; '' if there are none."""
        if not self.seen:
            return ''
        return (
            f'{self.seen} of the {self.number} images of {self.labels} are '
            'among those trained on: the scores on the source say how well '
            'they are remembered.'
        )


def training_images(run: Run) -> tuple[str, list[str]]:
    """Reads where a run's source images are.

    Returns:
        tuple[str, list[str]]: The folder, '' if it is not known, and the
        paths of the images.
    """
    reader = DataReader(run.cfg, ('source',))
    reader.read()
    parts = reader.parts_of('source')
    paths = [path for part in parts for path in part.images]
    return parts[0].folder if parts else '', paths


def detect_images(
    run: Run, truth: Truth, images: str, trust: bool
) -> list[dict]:
    """Detects objects with the last weights of a run.

    Args:
        run (Run): The run.
        truth (Truth): The images, with their annotations.
        images (str): The folder of the images.
        trust (bool): Load checkpoints that may run code.

    Returns:
        list[dict]: Detections in the format of COCO's results.

    Raises:
        UserError: If the run has no weights or an image cannot be read.
    """
    found = resume_candidates(run.work_dir)
    if not found:
        raise UserError(
            f'{run.work_dir} has no checkpoint, so its scores on the source '
            'cannot be measured: leave --source-labels out, or put a '
            'checkpoint there.'
        )
    detector = Detector.read(run.config, found[0], trust)
    model = detector.open()
    ids = {name: i for i, name in truth.names.items()}
    names = detector.class_names or model.dataset_meta['classes']
    category_ids = {
        label: ids[name] for label, name in enumerate(names) if name in ids
    }
    results = []
    records = [truth.coco.imgs[i] for i in sorted(truth.coco.imgs)]
    for record in progress(records, len(records), 'source images'):
        boxes = detect(model, osp.join(images, record['file_name']))
        results += coco_detections(record['id'], boxes, category_ids)
    return results


def score_on_source(
    runs: Sequence[Run],
    labels: str,
    images: str | None = None,
    trust: bool = False,
) -> SourceScores:
    """Scores the last weights of runs on labelled source images.

    Args:
        runs (sequence of Run): The runs.
        labels (str): COCO json of the source images.
        images (str, optional): The folder that the file names of the json
            are in. Defaults to the folder of the first run's training images.
        trust (bool): Load checkpoints that may run code.

    Raises:
        UserError: If labels, images or weights cannot be used.
    """
    folder, paths = training_images(runs[0])
    images = images or folder
    classes = Detector(runs[0].cfg).class_names or ()
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
            found = detect_images(run, truth, images, trust)
            path.write_text(json.dumps(found))
            by_run[run.work_dir] = evaluate(
                labels, str(path), truth.test.classes
            )
    return SourceScores(labels, len(truth.coco.imgs), seen, by_run)
