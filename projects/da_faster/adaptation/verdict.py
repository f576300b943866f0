"""Compares a detector before and after its adaptation, without labels."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mmengine.structures import InstanceData
from torch import nn

from da_faster.detectors import Detector, detect
from da_faster.errors import UserError
from da_faster.matching import count_matches
from da_faster.models.self_training.score_threshold import score_thr_at_most

CAVEAT = (
    'Without labels nobody can say which of the two is better: more boxes may '
    'be objects or false alarms, and a detector can be confident and wrong.'
)
NO_SIGN = (
    'Nothing here speaks against the adapted detector. Nothing spoke against '
    'detectors that had become worse, either (docs/adapt_results.md).'
)


class Detections(NamedTuple):
    """Statistics of the detections of one detector on target images.

    Attributes:
        boxes (float): Confident detections an image.
        by_class (dict[str, float]): Confident detections an image, by class.
        score (float): Mean score of a confident detection; NaN without any.
        empty (float): Fraction of images without a confident detection.
    """

    boxes: float
    by_class: dict
    score: float
    empty: float


class Verdict(NamedTuple):
    """Detections before and after an adaptation, on the same images.

    Attributes:
        images (int): The number of images.
        threshold (float): The lowest score of a confident detection.
        before (Detections): The detections of the original detector.
        after (Detections): The detections of the adapted detector.
        agreement (float): F1 score of the adapted detector's detections
            against the original's, over all images; NaN without any.
    """

    images: int
    threshold: float
    before: Detections
    after: Detections
    agreement: float

    def warnings(self) -> list[str]:
        """Lists what speaks against the adapted detector, in sentences."""
        if not self.before.boxes + self.after.boxes:
            return ['Neither finds anything: there is nothing to compare.']
        said = []
        if self.after.boxes < 0.5 * self.before.boxes:
            said.append(
                'The adapted one finds less than half as many objects.'
            )
        if self.after.boxes > 2 * self.before.boxes + 0.5:
            said.append(
                'The adapted one finds more than twice as many objects.'
            )
        for name, before in self.before.by_class.items():
            after = self.after.by_class[name]
            if before * self.images >= 8 and after < 0.25 * before:
                said.append(
                    f'The adapted one hardly finds {name} any more: '
                    f'{after:.2f} an image, before {before:.2f}.'
                )
        if self.after.score < self.before.score - 0.1:
            said.append('The adapted one finds objects with lower scores.')
        if self.agreement < 0.5:
            said.append(
                'The two agree on less than half of what they find: look at '
                'the images before you use the adapted one.'
            )
        return said

    def text(self) -> str:
        """Writes a table of the detections, and how to read the table."""
        rows = [
            ('confident detections an image', 'boxes', '.2f'),
            ('their mean score', 'score', '.2f'),
            ('images without one', 'empty', '.0%'),
        ]
        number = f'{self.images} target images'
        if self.images == 1:
            number = 'one target image'
        lines = [
            f'On {number}, scores from {self.threshold}:',
            '',
            '| | before | adapted |',
            '|---|---|---|',
        ]
        for title, key, form in rows:
            values = (getattr(x, key) for x in (self.before, self.after))
            cells = [
                'none' if math.isnan(v) else f'{v:{form}}' for v in values
            ]
            lines.append(f'| {title} | {" | ".join(cells)} |')
        if len(self.before.by_class) > 1:
            for name, value in self.before.by_class.items():
                other = self.after.by_class[name]
                if not value + other:  # most of 80 classes
                    continue
                lines.append(
                    f'| {name} an image | {value:.2f} | {other:.2f} |'
                )
        lines += ['']
        if not math.isnan(self.agreement):
            lines += [f'They agree on {self.agreement:.0%} (F1 score).']
        lines += self.warnings() or [NO_SIGN]
        lines += ['', CAVEAT]
        return '\n'.join(lines)


def compare(
    before: Path, after: Path, images: Sequence[str], threshold: float
) -> Verdict:
    """Compares two detectors of the same classes on images.

    Args:
        before (Path): A checkpoint of stock MMDetection. Its config lies
            beside it, ``start.py`` beside ``start.pth``.
        after (Path): Another such checkpoint.
        images (Sequence[str]): Image files.
        threshold (float): The lowest score of a confident detection.

    Raises:
        UserError: If there is no config beside a checkpoint.
    """
    found, seen = [], []
    for checkpoint in (before, after):
        config = str(config_beside(checkpoint))
        model = Detector.read(config, checkpoint).open()
        with score_thr_at_most(model, threshold):
            confident, numbers = confident_detections(model, images, threshold)
        found.append(confident)
        seen.append(numbers)
    # Over all images: an image where neither finds anything says nothing.
    matches = sum(count_matches(ours, theirs) for ours, theirs in zip(*found))
    boxes = sum(len(of_image) for of_all in found for of_image in of_all)
    agreement = 2 * matches / boxes if boxes else float('nan')
    return Verdict(len(images), threshold, *seen, agreement)


def config_beside(checkpoint: Path) -> Path:
    """The config of a stock checkpoint: the file of the same name.

    Raises:
        UserError: If there is no such file.
    """
    config = Path(checkpoint).with_suffix('.py')
    if not config.exists():
        raise UserError(
            f'{config} is missing beside {checkpoint}: put its config there.'
        )
    return config


def confident_detections(
    model: nn.Module, images: Sequence[str], threshold: float
) -> tuple[list[InstanceData], Detections]:
    """The confident detections of each image, and their statistics."""
    found = [detect(model, image) for image in images]
    confident = [x[x.scores >= threshold] for x in found]
    scores = [score for x in confident for score in x.scores.tolist()]
    labels = [label for x in confident for label in x.labels.tolist()]
    names = model.dataset_meta['classes']
    number = len(images)
    return confident, Detections(
        boxes=len(scores) / number,
        by_class={
            name: labels.count(i) / number for i, name in enumerate(names)
        },
        score=sum(scores) / len(scores) if scores else float('nan'),
        empty=sum(not len(x) for x in confident) / number,
    )
