"""Image-level domain classifier.

Shapes: N images (source and target), L feature levels of (N, C, H_l, W_l),
K = sum of H_l * W_l cells an image. The domain label is 1 for source, 0 for
target.
"""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from .domain_classifier import DomainClassifier
from .grad_reverse import both_ways


def flatten_cells(maps: Sequence[Tensor]) -> Tensor:
    """Joins L maps of (N, 1, H_l, W_l) or (N, H_l, W_l) to (N, K)."""
    return torch.cat([x.flatten(1) for x in maps], dim=1)


@MODELS.register_module()
class DomainClassifierNeck(DomainClassifier):
    """Image-level domain classifier (Chen et al., CVPR 2018, Eq. 5).

    Two 1x1 convolutions classify the domain of every cell of every feature
    map.

    Args:
        in_channels (int): Channels of each feature level.
        feat_channels (int): Hidden channels. Defaults to 512.
        num_levels (int, optional): Number of feature levels, each with its
            own classifier. Defaults to None: one classifier for all levels.
        ignore_padding (bool): Whether to leave out cells that show only
            padding. The reference counts them; if the domains are padded
            differently, padding gives the domain away. Defaults to True.
        cell_stride (int): Take only every n-th cell, down and across. The
            first cell is random in each iteration and level. On a large map
            the mean is about the same, for 1 / n**2 of the work. Defaults to
            1: all cells, as in the reference.
        grad_scale (float): Scale of the reversed gradient. Defaults to 0.1.
        loss_weight (float): Weight of the loss. Defaults to 1.
        init_cfg (dict): Initial weights. Defaults to a normal distribution of
            std 0.001.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        in_channels: int,
        feat_channels: int = 512,
        num_levels: int | None = None,
        ignore_padding: bool = True,
        cell_stride: int = 1,
        grad_scale: float = 0.1,
        loss_weight: float = 1.0,
        init_cfg: dict | None = dict(type='Normal', layer='Conv2d', std=0.001),
    ) -> None:
        super().__init__(grad_scale, loss_weight, init_cfg)
        if num_levels is not None and num_levels < 1:
            raise ValueError(
                'DomainClassifierNeck: num_levels must be at '
                f'least 1 or None, got {num_levels!r}'
            )
        if not (isinstance(cell_stride, int) and cell_stride >= 1):
            raise ValueError(
                'DomainClassifierNeck: cell_stride must be an '
                f'integer >= 1, got {cell_stride!r}'
            )
        self.num_levels = num_levels
        self.ignore_padding = ignore_padding
        self.cell_stride = cell_stride
        self.classifiers = nn.ModuleList(
            nn.Sequential(
                OrderedDict(
                    conv=nn.Conv2d(in_channels, feat_channels, 1),
                    relu=nn.ReLU(inplace=True),
                    conv_domain=nn.Conv2d(feat_channels, 1, 1),
                )
            )
            for _ in range(num_levels or 1)
        )

    def forward(
        self, feats: Sequence[Tensor], reverse: bool = True
    ) -> tuple[Tensor, ...]:
        """Computes the domain logits of every cell.

        Args:
            feats (Sequence[Tensor]): L maps of shape (N, C, H_l, W_l).
            reverse (bool): Whether the gradient into ``feats`` is reversed.

        Returns:
            tuple[Tensor]: L maps of shape (N, 1, H_l, W_l).
        """
        return tuple(
            classifier(self.with_scaled_gradient(x, reverse))
            for classifier, x in self._classifiers_of(feats)
        )

    def forward_both_ways(
        self, feats: Sequence[Tensor]
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Computes ``forward(feats)`` and ``forward(feats, reverse=False)``.

        Both take one pass (see :func:`both_ways`).
        """
        return tuple(
            zip(
                *(
                    both_ways(classifier, x, self.grad_scale)
                    for classifier, x in self._classifiers_of(feats)
                )
            )
        )

    def _classifiers_of(
        self, feats: Sequence[Tensor]
    ) -> list[tuple[nn.Module, Tensor]]:
        """Pairs each level with its classifier."""
        classifiers = list(self.classifiers)
        if self.num_levels is None:
            classifiers *= len(feats)
        elif len(feats) != self.num_levels:
            raise ValueError(
                f'DomainClassifierNeck: num_levels is {self.num_levels}, but '
                f'the detector has {len(feats)} feature levels'
            )
        return list(zip(classifiers, feats))

    def select_cells(
        self, feats: Sequence[Tensor], metas: list[dict]
    ) -> tuple[tuple[Tensor, ...], Tensor | None]:
        """Selects the cells that are classified in this iteration.

        Args:
            feats (Sequence[Tensor]): L maps of shape (N, C, H_l, W_l).
            metas (list[dict]): Metainfo of the N images: ``img_shape`` and
                ``batch_input_shape``, (height, width) in pixels.

        Returns:
            tuple:

            - tuple[Tensor]: L maps of the selected cells, about
              (N, C, H_l / n, W_l / n) with ``cell_stride`` n. K is their
              number of cells.
            - Tensor or None: Weights, (N, K): 1 for a cell that shows the
              image, 0 for a cell of padding; None if padding counts, too.
        """
        selected, weights = [], []
        for x in feats:
            lattice = tuple(
                slice(self._random_start(size), None, self.cell_stride)
                for size in x.shape[-2:]
            )
            selected.append(x[(..., *lattice)])
            if self.ignore_padding:
                weights.append(self._in_image(x, metas)[(..., *lattice)])
        return (
            tuple(selected),
            flatten_cells(weights) if self.ignore_padding else None,
        )

    def _random_start(self, size: int) -> int:
        """The first selected row or column.

        NumPy draws it, as a draw on the device would have to be waited for.
        """
        return np.random.randint(min(size, self.cell_stride))

    @staticmethod
    def _in_image(x: Tensor, metas: list[dict]) -> Tensor:
        """Marks the cells that begin inside the image by 1, (N, H, W)."""
        height, width = x.shape[-2:]
        weights = torch.zeros(len(metas), height, width, device=x.device)
        for image, meta in zip(weights, metas):
            h, w = meta['img_shape'][:2]
            padded_h, padded_w = meta['batch_input_shape']
            # Exact integer arithmetic, rounded up.
            rows, cols = -(-height * h // padded_h), -(-width * w // padded_w)
            image[:rows, :cols].fill_(1)  # sends nothing to the device
        return weights

    def loss(
        self,
        logits: Sequence[Tensor],
        is_source: Tensor,
        weights: Tensor | None = None,
    ) -> dict:
        """Computes the mean BCE over the cells of all images and levels.

        Args:
            logits (Sequence[Tensor]): L maps of shape (N, 1, H_l, W_l).
            is_source (Tensor): Domain of each image, bool, (N,).
            weights (Tensor, optional): 1 or 0 for each cell, (N, K).

        Returns:
            dict[str, Tensor]: ``loss_da_image`` and ``acc_da_image``, scalars.
        """
        logits = flatten_cells(logits)
        labels = is_source[:, None].expand_as(logits)
        return dict(
            loss_da_image=self.bce(logits, labels, weights),
            acc_da_image=self.accuracy(logits, labels, weights),
        )
