"""What can be said of an adaptation without labels."""

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
    'be objects or false alarms, and a detector can be sure and wrong.'
)
NO_SIGN = (
    'Nothing here speaks against it. That was so of detectors that had become '
    'worse, too (docs/adapt_results.md).'
)


class Detections(NamedTuple):
    """What a detector finds on target images.

    Attributes:
        boxes (float): Sure detections an image.
        by_class (dict[str, float]): The same of each class.
        score (float): Their mean score; NaN without any.
        empty (float): Share of images without any.
    """

    boxes: float
    by_class: dict
    score: float
    empty: float


class Verdict(NamedTuple):
    """Detections before and after an adaptation, on the same images.

    Attributes:
        images (int): How many.
        threshold (float): Score of a sure detection.
        before (Detections): Of the detector as it came.
        after (Detections): Of the adapted one.
        agreement (float): F1 score of the ones against the others, over all
            images; NaN where there is none.
    """

    images: int
    threshold: float
    before: Detections
    after: Detections
    agreement: float

    def warnings(self) -> list[str]:
        """What speaks against the adapted detector, a sentence each."""
        if not self.before.boxes + self.after.boxes:
            return ['Neither finds anything: there is nothing to compare.']
        said = []
        if self.after.boxes < 0.5 * self.before.boxes:
            said.append('It finds less than half as many objects.')
        if self.after.boxes > 2 * self.before.boxes + 0.5:
            said.append('It finds more than twice as many objects.')
        for name, before in self.before.by_class.items():
            after = self.after.by_class[name]
            if before * self.images >= 8 and after < 0.25 * before:
                said.append(
                    f'It hardly finds {name} any more: {after:.2f} an image, '
                    f'before {before:.2f}.'
                )
        if self.after.score < self.before.score - 0.1:
            said.append('It is less sure of what it finds.')
        if self.agreement < 0.5:
            said.append(
                'The two agree on less than half of what they find: look at '
                'the images before you use it.'
            )
        return said

    def text(self) -> str:
        """A table, and what it can and cannot say."""
        rows = [
            ('sure detections an image', 'boxes', '.2f'),
            ('their mean score', 'score', '.2f'),
            ('share of images without one', 'empty', '.0%'),
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
        after (Path): Another one.
        images (Sequence[str]): Image files.
        threshold (float): Score of a sure detection.

    Raises:
        UserError: If there is no config beside a checkpoint.
    """
    found, seen = [], []
    for checkpoint in (before, after):
        config = str(config_beside(checkpoint))
        model = Detector.read(config, checkpoint).open()
        with score_thr_at_most(model, threshold):
            sure, numbers = look(model, images, threshold)
        found.append(sure)
        seen.append(numbers)
    # Over all images: one where neither finds anything says nothing.
    matches = sum(count_matches(ours, theirs) for ours, theirs in zip(*found))
    boxes = sum(len(sure) for sures in found for sure in sures)
    agreement = 2 * matches / boxes if boxes else float('nan')
    return Verdict(len(images), threshold, *seen, agreement)


def config_beside(checkpoint: Path) -> Path:
    """That of a stock checkpoint, which has its name.

    Raises:
        UserError: If there is none.
    """
    config = Path(checkpoint).with_suffix('.py')
    if not config.exists():
        raise UserError(
            f'{config} is missing beside {checkpoint}: put its config there.'
        )
    return config


def look(
    model: nn.Module, images: Sequence[str], threshold: float
) -> tuple[list[InstanceData], Detections]:
    """The sure detections of each image, and what they are like."""
    found = [detect(model, image) for image in images]
    sure = [x[x.scores >= threshold] for x in found]
    scores = [score for x in sure for score in x.scores.tolist()]
    labels = [label for x in sure for label in x.labels.tolist()]
    names = model.dataset_meta['classes']
    number = len(images)
    return sure, Detections(
        boxes=len(scores) / number,
        by_class={
            name: labels.count(i) / number for i, name in enumerate(names)
        },
        score=sum(scores) / len(scores) if scores else float('nan'),
        empty=sum(not len(x) for x in sure) / number,
    )
