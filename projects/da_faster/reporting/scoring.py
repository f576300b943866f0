"""What the runs of a report reach on the target's labelled images."""

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pycocotools.coco import COCO

from da_faster.benchmarking.certainty import Gain, Matches, measure_gain
from da_faster.benchmarking.progress import training_minutes
from da_faster.benchmarking.scores import evaluate
from da_faster.errors import UserError
from da_faster.visualization.detections import (
    Outcome,
    assess,
    by_image,
    check_detections,
    fair_score,
)

from .runs import Method, Run, TargetSet


class Scored(NamedTuple):
    """A run with detections.

    Attributes:
        run: It.
        score: Of :func:`evaluate`, and ``minutes`` of its training.
        matches: Its detections at IoU 0.5.
        outcomes: By image id, detections from ``least`` on.
        least: The score with one false alarm an image.
    """

    run: Run
    score: dict
    matches: Matches
    outcomes: dict[int, Outcome]
    least: float


class Truth:
    """The labelled target images.

    Args:
        test (TargetSet): Where they are.

    Attributes:
        test: With the names of the classes that count.
        coco: The annotations.
        names: Of those classes, by category id.

    Raises:
        UserError: If they are missing, or no COCO annotations.
    """

    def __init__(self, test: TargetSet) -> None:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                self.coco = COCO(test.ann_file)
            images, found = self.coco.getImgIds(), self.coco.cats
        except OSError as error:
            raise UserError(
                f'{test.ann_file} does not exist: start in the folder that '
                'the paths of the config are relative to.'
            ) from error
        except (AssertionError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f'{test.ann_file} is not COCO annotations ({error!r}).'
            ) from error
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
            UserError: If its detections are not of these images.
        """
        path, test = run.detections, self.test
        found = by_image(path)
        check_detections(
            path, found, self.coco.getImgIds(), self.coco.cats, test.ann_file
        )
        score = evaluate(test.ann_file, path, test.classes)
        score['minutes'] = training_minutes(run.work_dir)
        outcomes = {
            i: assess(
                sorted(self.known(found[i]), key=lambda d: -d['score']),
                self.known(self.coco.imgToAnns[i]),
            )
            for i in sorted(self.coco.getImgIds())
        }
        least = fair_score(list(outcomes.values()))
        return Scored(
            run,
            score,
            Matches(test.ann_file, path, test.classes),
            {i: outcome.above(least) for i, outcome in outcomes.items()},
            least,
        )

    def known(self, items: Sequence[dict]) -> list[dict]:
        """Those of the classes that count."""
        return [x for x in items if x['category_id'] in self.names]


def common_truth(runs: Sequence[Run]) -> Truth | None:
    """The labelled images that all runs are tested on.

    Args:
        runs (sequence of Run): With detections.

    Returns:
        Truth or None: None where there is no run.

    Raises:
        UserError: If they are tested on different ones.
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


def pairs(
    ours: Sequence[Scored], theirs: Sequence[Scored]
) -> list[tuple[Scored, Scored]]:
    """Runs of one seed; where two methods share none, in their order."""
    known = {other.run.seed: other for other in theirs}
    same = [
        (one, known[one.run.seed]) for one in ours if one.run.seed in known
    ]
    return same or list(zip(ours, theirs))


def gain_of(ours: Sequence[Scored], theirs: Sequence[Scored]) -> Gain:
    """The gain of a method over another one, with its interval."""
    both = pairs(ours, theirs)
    return measure_gain(
        [one.matches for one, _ in both], [other.matches for _, other in both]
    )


def mean_precision(runs: Sequence[Scored]) -> np.ndarray:
    """Precision at recalls of 0 to 1, mean of the seeds, (classes, 101)."""
    return np.mean(
        [
            run.matches.precision(np.ones(run.matches.num_images, int))
            for run in runs
        ],
        axis=0,
    )


class Judged(NamedTuple):
    """The two methods that the report is about.

    Attributes:
        first: The name of what is to beat.
        last: The name of what is judged.
    """

    first: str
    last: str


def judged(methods: Sequence[Method]) -> Judged | None:
    """The first method, and the last that is no oracle and no control.

    None where there are not two.
    """
    rest = [m for m in methods[1:] if not m.oracle]
    rest = [m for m in rest if not m.control] or rest
    return Judged(methods[0].name, rest[-1].name) if rest else None
