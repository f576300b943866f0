"""Measures how certain a gain of AP50 is when few images are labelled."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from .scores import coco_evaluation

MIN_IMAGES = 5  # test images that the bootstrap needs
RECALLS = np.linspace(0, 1, 101)  # COCO takes the precision at these


class Matches:
    """Detections, matched to the boxes of their image at IoU 0.5.

    Args:
        ann_file (str): The annotations.
        detections (str): The detections, in COCO's format of results.
        classes (Sequence[str]): The classes that count.

    Attributes:
        num_images (int): Images of the annotation file.
    """

    def __init__(
        self, ann_file: str, detections: str, classes: Sequence[str]
    ) -> None:
        evaluation = coco_evaluation(ann_file, detections, classes)
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.params.areaRng = evaluation.params.areaRng[:1]
        evaluation.params.areaRngLbl = ['all']
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation.evaluate()
        self.num_images = len(evaluation.params.imgIds)
        # For each class: the image of each detection, best score first;
        # whether the detection is right; the number of boxes in each image.
        self.classes = []
        for i in range(len(evaluation.params.catIds)):
            images, scores, right, ignored = [], [], [], []
            boxes = np.zeros(self.num_images, int)
            start = i * self.num_images
            for image in range(self.num_images):
                item = evaluation.evalImgs[start + image]
                if item is None:  # neither box nor detection
                    continue
                boxes[image] = np.sum(np.asarray(item['gtIgnore']) == 0)
                scores += item['dtScores']
                images += [image] * len(item['dtScores'])
                right.append(item['dtMatches'][0] > 0)
                ignored.append(item['dtIgnore'][0])
            order = np.argsort(-np.array(scores), kind='mergesort')
            if len(order):
                order = order[~np.concatenate(ignored).astype(bool)[order]]
                right = np.concatenate(right)[order]
            self.classes.append(
                (np.array(images, int)[order], np.array(right, bool), boxes)
            )

    def precision(self, counts: np.ndarray) -> np.ndarray:
        """Returns the precision where images occur several times.

        Args:
            counts (np.ndarray): How often each image occurs, (num_images,).

        Returns:
            np.ndarray: The precision at RECALLS, from 0 to 1, (classes, 101);
            nan for a class without a box.
        """
        result = np.full((len(self.classes), len(RECALLS)), np.nan)
        for row, (images, right, boxes) in zip(result, self.classes):
            total = boxes @ counts
            if total == 0:
                continue
            weight = counts[images]
            hits = np.cumsum(weight * right)
            precision = hits / np.maximum(np.cumsum(weight), 1)
            # COCO takes the best precision at this recall or a higher one.
            precision = np.maximum.accumulate(precision[::-1])[::-1]
            index = np.searchsorted(hits / total, RECALLS)
            row[:] = np.append(precision, 0)[index]
        return result

    def ap50(self, counts: np.ndarray) -> float:
        """Returns AP50 in percent, as :meth:`precision`; nan without a box."""
        by_class = self.precision(counts).mean(axis=1)
        by_class = by_class[~np.isnan(by_class)]
        return 100 * float(by_class.mean()) if len(by_class) else np.nan


def bootstrap_gains(
    ours: Sequence[Matches],
    theirs: Sequence[Matches],
    num_images: int | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> np.ndarray:
    """Draws images anew many times, and returns the mean gain of each draw.

    Args:
        ours (Sequence[Matches]): The runs of a method, one for each seed.
        theirs (Sequence[Matches]): The runs of the baseline, with the same
            seeds in the same order.
        num_images (int, optional): Images of a draw. Default: all.
        draws (int): How many draws to make (bootstrap).
        seed (int): The seed of the draws.

    Returns:
        np.ndarray: Gains in percent, (draws,); nan for a draw without a box.
    """
    rng = np.random.default_rng(seed)
    every = ours[0].num_images
    result = []
    for _ in range(draws):
        images = rng.integers(every, size=num_images or every)
        counts = np.bincount(images, minlength=every)
        result.append(
            np.mean(
                [a.ap50(counts) - b.ap50(counts) for a, b in zip(ours, theirs)]
            )
        )
    return np.array(result)


class Gain(NamedTuple):
    """A gain of AP50 with its confidence interval.

    Attributes:
        mean (float): The mean over the seeds in percent.
        half_width_images (float): Half the width of the 90 % confidence
            interval that comes from the choice of test images (bootstrap).
        half_width_seeds (float): Half the width of the interval that comes
            from the seeds (Student's t). It is 0 for a single seed, the spread
            of which is unknown.
        wins (float): The fraction of the draws of test images in which the
            method wins.
        runs (int): The number of seeds.
        images (int): The number of test images.
    """

    mean: float
    half_width_images: float
    half_width_seeds: float
    wins: float
    runs: int
    images: int

    @property
    def half_width(self) -> float:
        """Half the width of the whole interval: variances add up."""
        return float(np.hypot(self.half_width_images, self.half_width_seeds))

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out 0, with enough seeds and images."""
        return (
            self.runs > 1
            and self.images >= MIN_IMAGES
            and abs(self.mean) > self.half_width
        )

    def __str__(self) -> str:
        if self.significant:
            says = 'better' if self.mean > 0 else 'worse'
        elif self.runs < 2:
            says = 'one seed does not say'
        elif self.images < MIN_IMAGES:
            says = f'fewer than {MIN_IMAGES} images do not say'
        else:
            says = 'may be chance'
        return f'{self.mean:+.1f} ± {self.half_width:.1f}: {says}'


def measure_gain(
    ours: Sequence[Matches],
    theirs: Sequence[Matches],
    num_images: int | None = None,
) -> Gain:
    """Measures the gain of a method, with its confidence interval.

    Args:
        ours (Sequence[Matches]): The runs of a method, one for each seed.
        theirs (Sequence[Matches]): The runs of the baseline, with the same
            seeds in the same order.
        num_images (int, optional): Images that would be labelled. Default:
            all.
    """
    runs, every = len(ours), ours[0].num_images
    once = np.ones(every, int)
    each = [a.ap50(once) - b.ap50(once) for a, b in zip(ours, theirs)]
    drawn = bootstrap_gains(ours, theirs, num_images)
    drawn = drawn[~np.isnan(drawn)]
    half_width_seeds = 0.0
    if runs > 1:
        error = np.std(each, ddof=1) / np.sqrt(runs)
        half_width_seeds = float(stats.t.ppf(0.95, runs - 1) * error)
    return Gain(
        float(np.mean(each)),
        float(1.645 * np.std(drawn)),
        half_width_seeds,
        float(np.mean(drawn > 0)),
        runs,
        num_images or every,
    )


def verdicts(
    runs: dict[str, Sequence[Matches]],
    baseline: str,
    labels: Mapping[str, str],
) -> str:
    """Says whether each method is better than the baseline.

    Args:
        runs (dict[str, Sequence[Matches]]): By method, the runs of all seeds
            in one order.
        baseline (str): One of the methods.
        labels (dict[str, str]): Names of the methods in the text.

    Returns:
        str: A list in Markdown.
    """
    title = (
        f'AP50 gained over {labels[baseline]}, with its 90 % confidence '
        'interval over seeds and test images:'
    )
    lines = [title, '']
    for method, found in runs.items():
        if method != baseline:
            gain = measure_gain(found, runs[baseline])
            lines.append(f'- {labels[method]}: {gain}')
    return '\n'.join(lines)
