"""Scores of runs on the target's labelled images."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from da_faster.benchmarking.certainty import Gain, Matches, measure_gain
from da_faster.benchmarking.progress import training_minutes
from da_faster.benchmarking.scores import evaluate
from da_faster.coco_files import read_annotations, read_detections
from da_faster.errors import UserError
from da_faster.visualization.outcomes import (
    Outcome,
    assess_images,
    check_detections,
    fair_score,
)

from .runs import Method, Run, TargetSet


class Scored(NamedTuple):
    """Scores of a run that has detections.

    Attributes:
        run: The run.
        score: Scores of :func:`evaluate`, and ``minutes`` of training.
        matches: Matches of detections and objects at IoU 0.5.
        outcomes: Outcomes by image id, with the detections whose score is
            ``threshold`` or more.
        threshold: The score at which the run has one false alarm an image.
    """

    run: Run
    score: dict
    matches: Matches
    outcomes: dict[int, Outcome]
    threshold: float


class Truth:
    """Annotations of labelled images.

    Args:
        test (TargetSet): Where the images and annotations are.

    Attributes:
        test: The same, with the names of the classes that are scored.
        coco: The annotations.
        names: Names of the scored classes, by category id.

    Raises:
        UserError: If the annotations are missing or not COCO's.
    """

    def __init__(self, test: TargetSet) -> None:
        try:
            self.coco = read_annotations(test.ann_file)
        except OSError as error:
            raise UserError(
                f'{test.ann_file} does not exist: start in the folder that '
                'the paths in the config are relative to.'
            ) from error
        images, found = self.coco.getImgIds(), self.coco.cats
        self.names = {
            i: category['name']
            for i, category in sorted(found.items())
            if not test.classes or category['name'] in test.classes
        }
        if not images or not self.names:
            raise UserError(
                f'{test.ann_file} has no '
                f'{"class of the config" if images else "image"}.'
            )
        self.test = test._replace(classes=tuple(self.names.values()))

    def score(self, run: Run) -> Scored:
        """Scores a run.

        Raises:
            UserError: If the detections are not of these images.
        """
        path, test = run.detections, self.test
        found = read_detections(path)
        check_detections(
            path, found, self.coco.getImgIds(), self.coco.cats, test.ann_file
        )
        score = evaluate(test.ann_file, path, test.classes)
        score['minutes'] = training_minutes(run.work_dir)
        outcomes = assess_images(
            {i: self.in_classes(items) for i, items in found.items()},
            {
                i: self.in_classes(self.coco.imgToAnns[i])
                for i in sorted(self.coco.getImgIds())
            },
        )
        threshold = fair_score(list(outcomes.values()))
        return Scored(
            run,
            score,
            Matches(test.ann_file, path, test.classes),
            {i: outcome.above(threshold) for i, outcome in outcomes.items()},
            threshold,
        )

    def in_classes(self, items: Sequence[dict]) -> list[dict]:
        """Selects annotations or detections of the scored classes."""
        return [x for x in items if x['category_id'] in self.names]


def common_truth(runs: Sequence[Run]) -> Truth | None:
    """Reads the labelled images that all runs are tested on.

    Args:
        runs (sequence of Run): Runs with detections.

    Returns:
        Truth or None: The annotations; None if there is no run.

    Raises:
        UserError: If runs are tested on different images or classes.
    """
    if not runs:
        return None
    tests = [run.test_set() for run in runs]
    truth = Truth(tests[0])
    content = Path(tests[0].ann_file).read_bytes()
    for run, test in zip(runs[1:], tests[1:]):
        same = test == tests[0] or (
            test.classes == tests[0].classes
            and Path(test.ann_file).is_file()
            and Path(test.ann_file).read_bytes() == content
        )
        if not same:
            raise UserError(
                f'{runs[0].work_dir} is tested on {tests[0].ann_file}, '
                f'{run.work_dir} on {test.ann_file}, or on other classes: '
                'compare runs of one test set.'
            )
    return truth


def pair_by_seed(
    ours: Sequence[Scored], theirs: Sequence[Scored]
) -> list[tuple[Scored, Scored]]:
    """Pairs runs of two methods by seed; by order if no seed is shared."""
    known = {other.run.seed: other for other in theirs}
    same = [
        (one, known[one.run.seed]) for one in ours if one.run.seed in known
    ]
    return same or list(zip(ours, theirs))


def gain_of(ours: Sequence[Scored], theirs: Sequence[Scored]) -> Gain:
    """Measures the gain of one method over another, with its interval."""
    both = pair_by_seed(ours, theirs)
    return measure_gain(
        [one.matches for one, _ in both], [other.matches for _, other in both]
    )


def mean_precision(runs: Sequence[Scored]) -> np.ndarray:
    """Mean precision of the seeds at 101 recalls from 0 to 1.

    Returns:
        ndarray: Precision, (classes, 101).
    """
    return np.mean(
        [
            run.matches.precision(np.ones(run.matches.num_images, int))
            for run in runs
        ],
        axis=0,
    )


class Comparison(NamedTuple):
    """Names of the two methods that the report compares.

    Attributes:
        first: The baseline.
        last: The method that is compared with the baseline.
    """

    first: str
    last: str


def choose_comparison(methods: Sequence[Method]) -> Comparison | None:
    """Chooses the first method, and the last that is no oracle or control.

    Controls are chosen only if there is no other method. None is returned if
    there is nothing to compare the first method with.
    """
    rest = [m for m in methods[1:] if not m.oracle]
    rest = [m for m in rest if not m.control] or rest
    return Comparison(methods[0].name, rest[-1].name) if rest else None
