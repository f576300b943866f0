"""Selection of the teacher's detections that the student learns from."""

from collections.abc import Sequence

import torch
from mmdet.registry import MODELS
from mmdet.utils import InstanceList
from mmengine.dist import all_gather
from mmengine.structures import InstanceData
from torch import nn

from .label_statistics import LabelStatistics

TOP = 100  # detections of a class in an image that count for a threshold


@MODELS.register_module()
class PseudoLabels(nn.Module):
    """Keeps the detections whose score reaches the threshold of their class.

    Detections below the threshold, down to ``ignore_above``, are uncertain:
    neither objects nor background.

    ``threshold='frequency'`` gives each class a threshold of its own, by the
    scores in the last ``window`` target images. In an image it keeps ``ratio``
    times as many boxes of a class as a source image has.

    With numbers as thresholds, ``max_growth`` bounds the number of labels: the
    threshold of a class rises as far as necessary. Without a bound, labels
    can lead to ever more labels of their class.

    Thresholds and scores are buffers, so a resumed run continues with them.

    Args:
        num_classes (int): C.
        threshold (float | Sequence[float] | str): One score for all classes,
            one for each, or ``'frequency'``.
        ignore_above (float, optional): Lowest score of an uncertain
            detection. None: all detections below the threshold are background.
        ratio (float): With ``'frequency'``: boxes to keep, as a multiple of
            the boxes in as many source images.
        bounds (tuple[float, float]): With ``'frequency'``: the lowest and the
            highest threshold.
        window (int): With ``'frequency'`` or ``max_growth``: target images
            whose scores count.
        statistics_window (int): Target images over which the statistics are
            averaged that a log shows and an alarm looks at.
        max_growth (float, optional): With numbers as thresholds: the most
            labels of a class in an image, as a multiple of those in the first
            ``statistics_window`` images.

    Attributes:
        thresholds (Tensor): Lowest score of a label of each class, (C,).
        statistics (LabelStatistics): Counts of boxes and labels.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        num_classes: int,
        threshold: float | Sequence[float] | str = 'frequency',
        ignore_above: float | None = 0.1,
        ratio: float = 0.4,
        bounds: tuple[float, float] = (0.3, 0.9),
        window: int = 100,
        statistics_window: int = 200,
        max_growth: float | None = None,
    ) -> None:
        super().__init__()
        self.by_frequency = threshold == 'frequency'
        if not self.by_frequency:
            if isinstance(threshold, str):
                raise ValueError(
                    "PseudoLabels: threshold must be numbers or 'frequency', "
                    f'got {threshold!r}'
                )
            if not isinstance(threshold, Sequence):
                threshold = [threshold] * num_classes
            if len(threshold) != num_classes:
                raise ValueError(
                    f'PseudoLabels: {len(threshold)} thresholds for '
                    f'{num_classes} classes'
                )
        else:
            threshold = [bounds[1]] * num_classes
        if max_growth is not None and (self.by_frequency or max_growth < 1):
            raise ValueError(
                'PseudoLabels: max_growth is at least 1 and needs thresholds '
                f'that are numbers, got {max_growth!r} with {threshold!r}'
            )
        scores = dict(threshold=threshold, bounds=bounds)
        if ignore_above is not None:
            scores['ignore_above'] = [ignore_above]
        for name, values in scores.items():
            if not all(0 < value <= 1 for value in values):
                raise ValueError(
                    f'PseudoLabels: {name} must lie in (0, 1], got {values!r}'
                )
        if bounds[0] > bounds[1]:
            raise ValueError(
                f'PseudoLabels: bounds must ascend, got {bounds!r}'
            )
        counts = dict(
            ratio=ratio, window=window, statistics_window=statistics_window
        )
        for name, value in counts.items():
            if not value > 0:
                raise ValueError(
                    f'PseudoLabels: {name} must be positive, got {value!r}'
                )
        self.ignore_above = ignore_above
        self.ratio = ratio
        self.bounds = bounds
        self.max_growth = max_growth
        self.adaptive = self.by_frequency or max_growth is not None
        self.first_thresholds = tuple(threshold)
        # Thresholds that do not move stay those of the config in a resume.
        self.register_buffer(
            'thresholds',
            torch.tensor(threshold, dtype=torch.float32),
            persistent=self.adaptive,
        )
        if self.adaptive:
            self.register_buffer(
                'scores', torch.zeros(window, num_classes, TOP)
            )
        self.statistics = LabelStatistics(num_classes, statistics_window)

    def reset(self) -> None:
        """Resets thresholds and statistics, which came from other weights."""
        self.statistics.reset()
        if self.adaptive:
            self.scores.zero_()
        self.thresholds.copy_(
            self.thresholds.new_tensor(self.first_thresholds)
        )

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.thresholds)

    @property
    def lowest_score(self) -> float:
        """The lowest score that a label or an uncertain detection can have."""
        lowest = min(
            self.bounds if self.by_frequency else self.first_thresholds
        )
        return min(lowest, self.ignore_above or lowest)

    @torch.no_grad()
    def select(
        self, detections: InstanceList
    ) -> list[tuple[InstanceData, InstanceData]]:
        """Divides detections into labels and uncertain boxes; counts both.

        Args:
            detections (list[InstanceData]): Detections in each target image,
                with ``bboxes`` (n, 4), ``scores`` and ``labels`` (n,).

        Returns:
            list[tuple]: Labels and uncertain boxes of each image.
        """
        if self.adaptive:
            self._adapt_thresholds(detections)
        parts = []
        for found in detections:
            confident = self.are_confident(found)
            uncertain = ~confident
            if self.ignore_above is None:
                uncertain &= False
            else:
                uncertain &= found.scores >= self.ignore_above
            parts.append((found[confident], found[uncertain]))
        self.statistics.count_target([labels for labels, _ in parts])
        return parts

    def are_confident(self, detections: InstanceData) -> torch.Tensor:
        """Says which detections reach their thresholds, bool, (n,)."""
        return detections.scores >= self.thresholds[detections.labels]

    def _adapt_thresholds(self, detections: InstanceList) -> None:
        """Sets the thresholds that keep as many detections as wanted."""
        best = self.scores.new_zeros(len(detections), *self.scores.shape[1:])
        for scores, found in zip(best, detections):
            for label in found.labels.unique().tolist():
                top = found.scores[found.labels == label].sort(
                    descending=True
                )[0][:TOP]
                scores[label, : len(top)] = top
        window = len(self.scores)
        best = torch.cat(all_gather(best))
        self.scores.copy_(torch.cat([best, self.scores])[:window])
        statistics = self.statistics
        # This batch is not counted yet.
        images = min(int(statistics.target_images) + len(best), window)
        ranked = self.scores.transpose(0, 1).flatten(1)
        ranked = ranked.sort(descending=True)[0]
        if self.by_frequency:
            usual = statistics.source_boxes_per_image
            wanted = (self.ratio * images * usual).round().long()
        elif statistics.window_is_full:
            usual = statistics.first_labels_per_image
            wanted = (self.max_growth * images * usual).round().long()
        else:
            return  # the first labels are not known yet
        last = wanted.clamp(1, ranked.shape[1]) - 1
        thresholds = ranked.gather(1, last[:, None])[:, 0]
        if self.by_frequency:
            thresholds[wanted == 0] = self.bounds[1]
            thresholds.clamp_(*self.bounds)
        else:
            lowest = thresholds.new_tensor(self.first_thresholds)
            thresholds = torch.maximum(thresholds, lowest)
        self.thresholds.copy_(thresholds)
