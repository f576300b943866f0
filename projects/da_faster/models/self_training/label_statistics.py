"""Statistics of the pseudo-labels, and the signs of their collapse."""

from collections.abc import Sequence

import torch
from mmdet.utils import InstanceList
from mmengine.dist import all_reduce
from torch import Tensor, nn

ADVICE = (
    'The student may unlearn the target: look at the detections, or end '
    'the training earlier.'
)


class LabelStatistics(nn.Module):
    """Counts boxes of the source and pseudo-labels of the target.

    All counts are buffers, so a resumed run continues with them. Several
    processes share the counts; they need batches of one size.

    Args:
        num_classes (int): Number of classes, C.
        window (int): Number of target images that the means cover.

    Attributes:
        source_images (Tensor): Number of source images, a scalar.
        source_boxes (Tensor): Boxes of each class in them, (C,).
        target_images (Tensor): Number of target images, a scalar.
        labels_per_image (Tensor): Mean number of labels of each class in an
            image, (C,).
        first_labels_per_image (Tensor): ``labels_per_image`` at the end of
            the first window, (C,).
        most_labels_per_image (Tensor): Highest ``labels_per_image`` of each
            class so far, (C,).
        scores (Tensor): Mean score of the labels of each class, (C,).
        best_scores (Tensor): Highest ``scores`` of each class so far, (C,).
        most_labels_of_all (Tensor): Highest sum of ``labels_per_image`` so
            far, a scalar. Classes have their highest at different times.
        best_score_sum (Tensor): Highest ``score_sum`` so far, a scalar.
        empty_fraction (Tensor): Fraction of images without labels, a scalar.
    """

    def __init__(self, num_classes: int, window: int) -> None:
        super().__init__()
        self.window = window
        for name in ('source_images', 'target_images'):
            self.register_buffer(name, torch.tensor(0))
        for name in (
            'source_boxes',
            'labels_per_image',
            'first_labels_per_image',
            'most_labels_per_image',
            'scores',
            'best_scores',
        ):
            self.register_buffer(name, torch.zeros(num_classes))
        for name in ('most_labels_of_all', 'best_score_sum', 'empty_fraction'):
            self.register_buffer(name, torch.tensor(0.0))

    def reset(self) -> None:
        """Forgets all counts."""
        for buffer in self.buffers():
            buffer.zero_()

    @property
    def window_is_full(self) -> bool:
        """Whether the window has been filled with target images once."""
        return bool(self.target_images >= self.window)

    @property
    def source_boxes_per_image(self) -> Tensor:
        """Boxes of each class in a source image, (C,)."""
        return self.source_boxes / self.source_images.clamp(min=1)

    @property
    def score_sum(self) -> Tensor:
        """Sum of the scores of all labels in an image, a scalar."""
        return (self.labels_per_image * self.scores).sum()

    @property
    def confidence(self) -> Tensor:
        """``score_sum`` as a fraction of its highest value, a scalar.

        It is 1 until the first window is full.
        """
        if not self.best_score_sum:
            return torch.ones_like(self.best_score_sum)
        return self.score_sum / self.best_score_sum

    @property
    def less_confident(self) -> bool:
        """Whether labels have become few, or their scores low."""
        return bool(self.confidence < 0.8)

    @torch.no_grad()
    def count_source(self, labels: Sequence[Tensor]) -> None:
        """Counts the boxes of a source batch.

        Args:
            labels (list[Tensor]): Classes of the boxes of each image, long,
                (boxes,).
        """
        counts = torch.bincount(
            torch.cat(list(labels)), minlength=len(self.source_boxes)
        ).float()
        totals = torch.cat([counts, counts.new_tensor([len(labels)])])
        all_reduce(totals)
        self.source_boxes += totals[:-1]
        self.source_images += totals[-1].long()

    @torch.no_grad()
    def count_target(self, labelled: InstanceList) -> None:
        """Counts the pseudo-labels of a target batch.

        Args:
            labelled (list[InstanceData]): Pseudo-labels of each image, with
                ``labels`` and ``scores`` (n,).
        """
        labels = torch.cat([found.labels for found in labelled])
        scores = torch.cat([found.scores for found in labelled])
        size = len(self.scores)
        counts = torch.bincount(labels, minlength=size).float()
        # Without any label, bincount returns integers. A process without
        # labels would send integers to one that waits for floats.
        sums = torch.bincount(labels, scores.float(), minlength=size).float()
        empty = sum(not len(found) for found in labelled)
        totals = torch.cat(
            [counts, sums, counts.new_tensor([empty, len(labelled)])]
        )
        all_reduce(totals)
        counts, sums, (empty, images) = totals.split([size, size, 2])
        self.target_images += images.long()
        # A plain mean until the window is full, then a moving average.
        weight = images / self.target_images.clamp(max=self.window)
        weight = weight.clamp(max=1)
        self.labels_per_image += weight * (
            counts / images - self.labels_per_image
        )
        self.empty_fraction += weight * (empty / images - self.empty_fraction)
        first = (self.scores == 0) & (counts > 0)
        weight = torch.where(first, 1.0, weight) * (counts > 0)
        means = sums / counts.clamp(min=1)
        self.scores += weight * (means - self.scores)
        if self.window_is_full:
            if not self.most_labels_per_image.any():
                self.first_labels_per_image.copy_(self.labels_per_image)
            for most, now in (
                (self.most_labels_per_image, self.labels_per_image),
                (self.best_scores, self.scores),
                (self.most_labels_of_all, self.labels_per_image.sum()),
                (self.best_score_sum, self.score_sum),
            ):
                torch.maximum(most, now, out=most)

    def summary(self) -> dict[str, Tensor]:
        """Computes the values for the log, over all classes.

        Returns:
            dict[str, Tensor]: Means over the window, scalars:
            ``pseudo_boxes``, the labels in an image; ``pseudo_score``, their
            score, 0 without labels; ``pseudo_empty``, the fraction of images
            without labels; and ``pseudo_confidence``, the ``confidence``.
        """
        boxes = self.labels_per_image.sum()
        return dict(
            pseudo_boxes=boxes,
            pseudo_score=self.score_sum / boxes.clamp(min=1e-6),
            pseudo_empty=self.empty_fraction.clone(),
            pseudo_confidence=self.confidence,
        )

    def signs_of_collapse(self, classes: list[str]) -> dict[str, str]:
        """Says what is wrong with the pseudo-labels.

        Args:
            classes (list[str]): Names of the C classes.

        Returns:
            dict[str, str]: A sentence for each sign, by a key of the sign.
            Empty until the first window is full.
        """
        if not self.window_is_full:
            return {}
        kept = self.labels_per_image.tolist()
        most = self.most_labels_per_image.tolist()
        score, best = self.scores.tolist(), self.best_scores.tolist()
        if self.source_images:
            usual = self.source_boxes_per_image.tolist()
            where = 'a source image has'
        else:
            usual = self.first_labels_per_image.tolist()
            where = 'at first there were'
        total, wanted = sum(kept), sum(usual)
        ever = self.most_labels_of_all.item()
        if not ever:
            said = (
                'There is no pseudo-label at all, so the student learns '
                'nothing of the target, or that it is empty: lower the '
                'threshold of pseudo-labels, or look at the images.'
            )
            return {'none': said}
        if total < 0.1 * max(ever, 0.2 * wanted):
            said = (
                f'Pseudo-labels vanish: {total:.2f} boxes an image, where '
                f'there were {ever:.2f} and {where} {wanted:.2f}. '
            )
            return {'vanish': said + ADVICE}
        found = {}
        if total > 3 * max(wanted, 0.1):
            found['explode'] = (
                f'Pseudo-labels explode: {total:.1f} boxes an image, where '
                f'{where} {wanted:.1f}. That is right only where the target '
                'shows as many; else raise the threshold of pseudo-labels.'
            )
        for i, name in enumerate(classes):
            if (
                len(classes) > 1
                and kept[i] > 0.95 * total
                and usual[i] < 0.8 * wanted
            ):
                found['one class'] = (
                    f'{kept[i] / total:.0%} of the pseudo-labels are {name}, '
                    f'where {where} {usual[i] / wanted:.0%}. {ADVICE}'
                )
            # Counts in a window are noisy: a fall must exceed that noise.
            before, now = (self.window * x[i] for x in (most, kept))
            if now < 0.25 * before and before - now > 4 * before**0.5:
                found[f'fading {name}'] = (
                    f'Pseudo-labels of {name} fade: {kept[i]:.3f} an image, '
                    f'where there were {most[i]:.3f}. {ADVICE}'
                )
            elif before < 1 and self.window * usual[i] > 16:
                found[f'no {name}'] = (
                    f'{name} gets hardly any pseudo-label: {kept[i]:.3f} an '
                    f'image, where {where} {usual[i]:.3f}. That is right only '
                    'where the target has none.'
                )
            if before >= 16 and score[i] < 0.7 * best[i]:
                found[f'uncertain {name}'] = (
                    f'Pseudo-labels of {name} get worse scores: '
                    f'{score[i]:.2f} on average, where it was {best[i]:.2f}. '
                    f'{ADVICE}'
                )
        return found
