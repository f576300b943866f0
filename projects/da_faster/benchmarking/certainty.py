"""How sure is a difference of AP50, given that few images are labelled?"""

import contextlib
import io
import json
from collections.abc import Mapping, Sequence

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

RECALLS = np.linspace(0, 1, 101)  # at which COCO reads the precision


class Matches:
    """Detections, matched to the boxes of their image at IoU 0.5.

    Args:
        ann_file (str): The annotations.
        detections (str): The detections, in COCO's format of results.

    Attributes:
        num_images (int): Images of the annotation file.
    """

    def __init__(self, ann_file: str, detections: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO(ann_file)
            with open(detections) as f:
                found = json.load(f)
            found = truth.loadRes(found) if found else COCO()
            evaluation = COCOeval(truth, found, 'bbox')
            evaluation.params.iouThrs = np.array([0.5])
            evaluation.params.areaRng = evaluation.params.areaRng[:1]
            evaluation.params.areaRngLbl = ['all']
            evaluation.evaluate()
        self.num_images = len(evaluation.params.imgIds)
        # Of each class: the image of each detection, best score first;
        # whether it is right; the number of boxes in each image.
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

    def ap50(self, counts: np.ndarray) -> float:
        """AP50 in percent of a set in which images occur several times.

        Args:
            counts (np.ndarray): How often each image occurs, (num_images,).
        """
        precisions = []
        for images, right, boxes in self.classes:
            total = boxes @ counts
            if total == 0:
                continue
            weight = counts[images]
            hits = np.cumsum(weight * right)
            precision = hits / np.maximum(np.cumsum(weight), 1)
            # The best that is reached at this recall or at a higher one.
            precision = np.maximum.accumulate(precision[::-1])[::-1]
            place = np.searchsorted(hits / total, RECALLS)
            precision = np.append(precision, 0)
            precisions.append(precision[place].mean())
        return 100 * float(np.mean(precisions)) if precisions else np.nan


def gains(
    ours: Sequence[Matches],
    theirs: Sequence[Matches],
    num_images: int | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> np.ndarray:
    """Gains of AP50, each on images and seeds drawn anew (bootstrap).

    Args:
        ours (sequence of Matches): Of a method, a run of each seed.
        theirs (sequence of Matches): Of what it is compared with; the same
            seeds in the same order.
        num_images (int, optional): Images of a draw; default: all.
        draws (int): How many.
        seed (int): Of the draws.

    Returns:
        np.ndarray: Gains in percent, (draws,). A draw has nan where it hit no
        box.
    """
    rng = np.random.default_rng(seed)
    every = ours[0].num_images
    result = []
    for _ in range(draws):
        images = rng.integers(every, size=num_images or every)
        counts = np.bincount(images, minlength=every)
        runs = rng.integers(len(ours), size=len(ours))
        result.append(
            np.mean(
                [ours[r].ap50(counts) - theirs[r].ap50(counts) for r in runs]
            )
        )
    return np.array(result)


def verdict(drawn: np.ndarray) -> str:
    """The mean gain, where 90 % of the draws lie, and what that says."""
    low, high = np.nanpercentile(drawn, (5, 95))
    says = 'better' if low > 0 else 'worse' if high < 0 else 'may be chance'
    return f'{np.nanmean(drawn):+.1f} ({low:+.1f} to {high:+.1f}): {says}'


def verdicts(
    runs: dict[str, Sequence[Matches]],
    baseline: str,
    labels: Mapping[str, str],
) -> str:
    """Says of each method whether it is better than the baseline.

    Args:
        runs (dict): By method: matches, a run of each seed in one order.
        baseline (str): One of the methods.
        labels (dict): Names of the methods in the text.

    Returns:
        str: A list in Markdown.
    """
    title = (
        f'AP50 gained over {labels[baseline]}, and where 90 % of 1,000 draws '
        'of test images and seeds lie:'
    )
    lines = [title, '']
    for method, found in runs.items():
        if method != baseline:
            drawn = gains(found, runs[baseline])
            lines.append(f'- {labels[method]}: {verdict(drawn)}')
    return '\n'.join(lines)


def needed(
    ours: Sequence[Matches],
    theirs: Sequence[Matches],
    sizes: Sequence[int],
) -> list[tuple]:
    """What fewer labelled images would have said of a gain.

    Args:
        ours (sequence of Matches): Of a method, a run of each seed.
        theirs (sequence of Matches): Of what it is compared with.
        sizes (sequence of int): Numbers of labelled images.

    Returns:
        list[tuple]: Of each size: the size, where 90 % of the draws of so
        many images lie, and the share in which the method wins.
    """
    rows = []
    for size in sizes:
        drawn = gains(ours, theirs, size)
        drawn = drawn[~np.isnan(drawn)]
        low, high = np.percentile(drawn, (5, 95))
        rows.append(
            (size, f'{low:+.1f} to {high:+.1f}', f'{np.mean(drawn > 0):.0%}')
        )
    return rows
