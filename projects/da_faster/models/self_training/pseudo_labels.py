"""Which detections of the teacher the student takes for labels."""

from collections.abc import Sequence

import torch
from mmdet.registry import MODELS
from mmdet.utils import InstanceList
from mmengine.dist import all_gather, all_reduce
from mmengine.structures import InstanceData
from torch import Tensor, nn

TOP = 100  # detections of a class in an image that count for a threshold


@MODELS.register_module()
class PseudoLabels(nn.Module):
    """Keeps detections above a threshold of their class.

    Detections below it, down to ``ignore_above``, are neither objects nor
    background: assigners that know ignored boxes leave them out.

    ``threshold='frequency'`` gives each class a threshold of its own: so many
    boxes an image are kept as ``ratio`` times the class has in a source image.
    It looks at the detections of the last ``window`` target images.

    With numbers, ``max_growth`` bounds how many labels there are: a class's
    threshold rises as far as it must. Else labels can make more of their kind.

    All that it learns is in buffers, so a resumed run goes on with it. Several
    processes share it; they need batches of one size.

    Args:
        num_classes (int): C.
        threshold (float | Sequence[float] | str): One score for all classes,
            one for each, or ``'frequency'``.
        ignore_above (float, optional): Score from which a detection that is
            not kept is ignored. None: it is background.
        ratio (float): Of ``'frequency'``: boxes to keep, as a share of the
            boxes in as many source images.
        bounds (tuple[float, float]): Of ``'frequency'``: the lowest and the
            highest threshold.
        window (int): Of ``'frequency'``: target images to look at.
        statistics_window (int): Target images over which the statistics are
            averaged that a log shows and an alarm looks at.
        max_growth (float, optional): Needs numbers as thresholds: the most
            labels of a class in an image, as a multiple of those in the first
            ``statistics_window`` images.
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
        self.statistics_window = statistics_window
        self.max_growth = max_growth
        self.adaptive = self.by_frequency or max_growth is not None

        # A number of the config stays one of the config.
        self.lowest = tuple(threshold)
        self.register_buffer(
            'thresholds',
            torch.tensor(threshold, dtype=torch.float32),
            persistent=self.adaptive,
        )
        per_class = torch.zeros(num_classes)
        if self.adaptive:
            self.register_buffer(
                'scores', torch.zeros(window, num_classes, TOP)
            )
        self.register_buffer('source_images', torch.tensor(0))
        self.register_buffer('source_boxes', per_class.clone())
        self.register_buffer('target_images', torch.tensor(0))
        # Means over the window: labels of a class in an image, their scores,
        # and the share of images without any; the most of each, and the labels
        # of the first window. Classes are at their most at different times, so
        # the most of all of them is counted apart.
        self.register_buffer('kept', per_class.clone())
        self.register_buffer('kept_first', per_class.clone())
        self.register_buffer('kept_most', per_class.clone())
        self.register_buffer('score', per_class.clone())
        self.register_buffer('score_most', per_class.clone())
        self.register_buffer('all_kept_most', torch.tensor(0.0))
        self.register_buffer('all_scores_most', torch.tensor(0.0))
        self.register_buffer('empty', torch.tensor(0.0))

    def forget(self) -> None:
        """Starts anew, as with the weights of another run."""
        for name, buffer in self.named_buffers():
            if name != 'thresholds':
                buffer.zero_()
        self.thresholds.copy_(self.thresholds.new_tensor(self.lowest))

    def complete_counts(self, weights: dict[str, Tensor], prefix: str) -> None:
        """Adds what a checkpoint of an earlier version did not count.

        Args:
            weights (dict[str, Tensor]): Of the checkpoint; changed in place.
            prefix (str): Of this module's names in it, with the last dot.
        """
        kept, score = (
            weights.get(f'{prefix}{name}_most') for name in ('kept', 'score')
        )
        if kept is not None and score is not None:
            weights.setdefault(f'{prefix}all_kept_most', kept.sum())
            weights.setdefault(
                f'{prefix}all_scores_most', (kept * score).sum()
            )

    @property
    def num_classes(self) -> int:
        """C."""
        return len(self.thresholds)

    @property
    def lowest_score(self) -> float:
        """Of a detection that is a label or ignored."""
        lowest = min(self.bounds if self.by_frequency else self.lowest)
        return min(lowest, self.ignore_above or lowest)

    @property
    def frequencies(self) -> Tensor:
        """Boxes of each class in a source image, (C,)."""
        return self.source_boxes / self.source_images.clamp(min=1)

    @property
    def all_scores(self) -> Tensor:
        """Sum of the labels' scores in an image."""
        return (self.kept * self.score).sum()

    @property
    def confidence(self) -> Tensor:
        """``all_scores`` as a share of its most.

        Before the first window is full nothing is known: it is 1.
        """
        if not self.all_scores_most:
            return torch.ones_like(self.all_scores_most)
        return self.all_scores / self.all_scores_most

    @property
    def less_confident(self) -> bool:
        """Whether labels have become few or unsure."""
        return bool(self.confidence < 0.8)

    @torch.no_grad()
    def count_source(self, labels: Sequence[Tensor]) -> None:
        """Counts the boxes of a source batch.

        Args:
            labels (list[Tensor]): Of each image, long, (boxes,).
        """
        counts = torch.bincount(
            torch.cat(list(labels)), minlength=self.num_classes
        ).float()
        totals = torch.cat([counts, counts.new_tensor([len(labels)])])
        all_reduce(totals)
        self.source_boxes += totals[:-1]
        self.source_images += totals[-1].long()

    @torch.no_grad()
    def select(
        self, detections: InstanceList
    ) -> list[tuple[InstanceData, InstanceData]]:
        """Parts detections into labels and boxes to ignore.

        Args:
            detections (list[InstanceData]): Of each target image, with
                ``bboxes`` (n, 4), ``scores`` and ``labels`` (n,).

        Returns:
            list[tuple]: Of each image, what is kept and what is ignored.
        """
        if self.adaptive:
            self._adapt(detections)
        parts = []
        for found in detections:
            keep = found.scores >= self.thresholds[found.labels]
            unsure = ~keep
            if self.ignore_above is None:
                unsure &= False
            else:
                unsure &= found.scores >= self.ignore_above
            parts.append((found[keep], found[unsure]))
        self._count([kept for kept, _ in parts])
        return parts

    def _adapt(self, detections: InstanceList) -> None:
        """Sets the thresholds that give as many labels as there may be."""
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
        # This batch is not counted yet.
        images = min(int(self.target_images) + len(best), window)
        ranked = self.scores.transpose(0, 1).flatten(1)
        ranked = ranked.sort(descending=True)[0]
        if self.by_frequency:
            wanted = (self.ratio * images * self.frequencies).round().long()
        elif self.target_images < self.statistics_window:
            return  # not known yet
        else:
            wanted = (
                (self.max_growth * images * self.kept_first).round().long()
            )
        last = wanted.clamp(1, ranked.shape[1]) - 1
        thresholds = ranked.gather(1, last[:, None])[:, 0]
        if self.by_frequency:
            thresholds[wanted == 0] = self.bounds[1]
            thresholds.clamp_(*self.bounds)
        else:
            lowest = thresholds.new_tensor(self.lowest)
            thresholds = torch.maximum(thresholds, lowest)
        self.thresholds.copy_(thresholds)

    def _count(self, kept: InstanceList) -> None:
        labels = torch.cat([found.labels for found in kept])
        scores = torch.cat([found.scores for found in kept])
        size = self.num_classes
        counts = torch.bincount(labels, minlength=size).float()
        # Of no label at all, bincount makes integers; a process that has none
        # would send them to one that waits for floats.
        sums = torch.bincount(labels, scores.float(), minlength=size).float()
        empty = sum(not len(found) for found in kept)
        totals = torch.cat(
            [counts, sums, counts.new_tensor([empty, len(kept)])]
        )
        all_reduce(totals)
        counts, sums, (empty, images) = totals.split([size, size, 2])
        self.target_images += images.long()
        # A plain mean until the window is full, then one that forgets.
        share = images / self.target_images.clamp(max=self.statistics_window)
        share = share.clamp(max=1)
        self.kept += share * (counts / images - self.kept)
        self.empty += share * (empty / images - self.empty)
        first = (self.score == 0) & (counts > 0)
        share = torch.where(first, 1.0, share) * (counts > 0)
        means = sums / counts.clamp(min=1)
        self.score += share * (means - self.score)
        if self.target_images >= self.statistics_window:
            if not self.kept_most.any():
                self.kept_first.copy_(self.kept)
            torch.maximum(self.kept_most, self.kept, out=self.kept_most)
            torch.maximum(self.score_most, self.score, out=self.score_most)
            most = self.all_kept_most
            torch.maximum(most, self.kept.sum(), out=most)
            most = self.all_scores_most
            torch.maximum(most, self.all_scores, out=most)
