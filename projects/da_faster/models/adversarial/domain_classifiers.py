"""Domain classifiers behind gradient reversal: image level and RoI level.

Shapes: N images (source and target), L feature levels of (N, C, H_l, W_l),
K = sum of H_l * W_l cells an image, R RoIs of both domains. The domain label
is 1 for source, 0 for target.
"""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from .grad_reverse import both_ways, scale_gradient


def flatten_cells(maps: Sequence[Tensor]) -> Tensor:
    """Joins L maps of (N, 1, H_l, W_l) or (N, H_l, W_l) to (N, K)."""
    return torch.cat([x.flatten(1) for x in maps], dim=1)


class DomainClassifier(BaseModule):
    """Gradient reversal and loss that both levels share.

    Args:
        grad_scale (float): The gradient that reaches the detector is the
            classifier's own, times ``-grad_scale``. The classifier itself
            learns at full strength. Defaults to 0.1.
        loss_weight (float): Weight of the classification loss.
        init_cfg (dict or list[dict], optional): Initial weights.
    """

    def __init__(
        self,
        grad_scale: float = 0.1,
        loss_weight: float = 1.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        for name, value in (
            ('grad_scale', grad_scale),
            ('loss_weight', loss_weight),
        ):
            if not 0 <= value < float('inf'):
                raise ValueError(
                    f'{type(self).__name__}: {name} must be a '
                    f'finite number >= 0, got {value!r}'
                )
        self.grad_scale = grad_scale
        self.loss_weight = loss_weight

    def tap(self, x: Tensor, reverse: bool) -> Tensor:
        """The detector's features as the classifier sees them.

        Adversarial losses reverse the gradient. The consistency term asks the
        detector to cooperate: same scale, not reversed.
        """
        return scale_gradient(
            x, -self.grad_scale if reverse else self.grad_scale
        )

    def bce(
        self, logits: Tensor, is_source: Tensor, weight: Tensor | None = None
    ) -> Tensor:
        """Mean binary cross-entropy; 0 without logits, so never NaN.

        Args:
            logits (Tensor): Any shape.
            is_source (Tensor): Domain labels, bool, same shape.
            weight (Tensor, optional): 1 or 0 for each logit, same shape.
        """
        total = F.binary_cross_entropy_with_logits(
            logits, is_source.to(logits.dtype), weight, reduction='sum'
        )
        if weight is None:
            count = max(logits.numel(), 1)
        else:
            count = weight.sum().clamp(min=1)
        return self.loss_weight * total / count

    @staticmethod
    @torch.no_grad()
    def accuracy(
        logits: Tensor, is_source: Tensor, weight: Tensor | None = None
    ) -> Tensor:
        """How often the domain is told right at a probability of 0.5.

        The mean of both domains' shares, so who only guesses has 50, however
        many logits each domain has. A domain without any counts as guessed.

        Args:
            logits (Tensor): Any shape.
            is_source (Tensor): Domain labels, bool, same shape.
            weight (Tensor, optional): 1 or 0 for each logit, same shape.

        Returns:
            Tensor: A scalar, percent, as MMDetection's ``acc``.
        """
        right = ((logits > 0) == is_source).float()
        counted = torch.ones_like(right) if weight is None else weight
        shares = []
        for domain in (is_source, ~is_source):
            of_domain = counted * domain
            count = of_domain.sum()
            share = (right * of_domain).sum() / count.clamp(min=1)
            shares.append(share + 0.5 * (count == 0))
        return 50 * (shares[0] + shares[1])


@MODELS.register_module()
class DomainClassifierNeck(DomainClassifier):
    """Image-level domain classifier (Chen et al., CVPR 2018, Eq. 5).

    Two 1x1 convolutions say of every cell of every feature map which domain
    it comes from.

    Args:
        in_channels (int): Channels of each feature level.
        feat_channels (int): Hidden channels. Defaults to 512.
        num_levels (int, optional): Number of classifiers, one a feature
            level. Defaults to None: one classifier serves all levels.
        ignore_padding (bool): Leave out the cells that show only padding.
            The reference counts them; where the domains are padded
            differently that tells them apart. Defaults to True.
        cell_stride (int): Look at every n-th cell only, down and across, from
            a first one drawn anew for each iteration and level: of a large
            map about the same mean for 1 / n**2 of the work. Defaults to 1:
            all cells, as the reference.
        grad_scale (float): Scale of the reversed gradient. Defaults to 0.1.
        loss_weight (float): Defaults to 1.
        init_cfg (dict): Defaults to a normal of std 0.001.
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
        """Domain logits of every cell.

        Args:
            feats (Sequence[Tensor]): L maps of shape (N, C, H_l, W_l).
            reverse (bool): Whether the gradient into ``feats`` is reversed.

        Returns:
            tuple[Tensor]: L maps of shape (N, 1, H_l, W_l).
        """
        return tuple(
            classifier(self.tap(x, reverse))
            for classifier, x in self._of_levels(feats)
        )

    def forward_both_ways(
        self, feats: Sequence[Tensor]
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """``forward(feats)`` and ``forward(feats, reverse=False)`` in one."""
        return tuple(
            zip(
                *(
                    both_ways(classifier, x, self.grad_scale)
                    for classifier, x in self._of_levels(feats)
                )
            )
        )

    def _of_levels(
        self, feats: Sequence[Tensor]
    ) -> list[tuple[nn.Module, Tensor]]:
        """Each level with its classifier."""
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
        """The cells that count in this iteration.

        Args:
            feats (Sequence[Tensor]): L maps of shape (N, C, H_l, W_l).
            metas (list[dict]): N, with ``img_shape`` and
                ``batch_input_shape``, (height, width) in pixels.

        Returns:
            tuple:

            - tuple[Tensor]: The maps; of ``cell_stride`` n, about
              (N, C, H_l / n, W_l / n), K being the number of their cells.
            - Tensor or None: 1 where a cell shows the image, 0 where only its
              padding, (N, K); None where padding counts too.
        """
        selected, weights = [], []
        for x in feats:
            lattice = tuple(
                slice(self._first(size), None, self.cell_stride)
                for size in x.shape[-2:]
            )
            selected.append(x[(..., *lattice)])
            if self.ignore_padding:
                weights.append(self._in_image(x, metas)[(..., *lattice)])
        return (
            tuple(selected),
            flatten_cells(weights) if self.ignore_padding else None,
        )

    def _first(self, size: int) -> int:
        """Where the lattice begins; of NumPy, as no device is waited for."""
        return np.random.randint(min(size, self.cell_stride))

    @staticmethod
    def _in_image(x: Tensor, metas: list[dict]) -> Tensor:
        """(N, H, W): 1 for each cell of ``x`` that begins in the image."""
        height, width = x.shape[-2:]
        weights = torch.zeros(len(metas), height, width, device=x.device)
        for image, meta in zip(weights, metas):
            h, w = meta['img_shape'][:2]
            padded_h, padded_w = meta['batch_input_shape']
            # Integers, so exact; rounded up.
            rows, cols = -(-height * h // padded_h), -(-width * w // padded_w)
            image[:rows, :cols].fill_(1)  # nothing is sent to the device
        return weights

    def loss(
        self,
        logits: Sequence[Tensor],
        is_source: Tensor,
        weights: Tensor | None = None,
    ) -> dict:
        """Mean BCE over the cells of all images and levels.

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


@MODELS.register_module()
class InstanceDomainHead(DomainClassifier):
    """Instance-level domain classifier (Chen et al., CVPR 2018, Eq. 7).

    Args:
        in_channels (int): Channels of a RoI's feature vector.
        feat_channels (int): Hidden channels. Defaults to 1024.
        dropout (float): After each hidden layer. Defaults to 0.5.
        shared_dropout (bool): Drop the same units in the adversarial loss and
            in the consistency term of an iteration, so that the two speak of
            one prediction. The reference draws anew. Defaults to True.
        grad_scale (float): Scale of the reversed gradient. Defaults to 0.1.
        loss_weight (float): Defaults to 1.
        init_cfg (dict): Defaults to normals of std 0.01, 0.01 and 0.05.
    """

    def __init__(
        self,
        in_channels: int,
        feat_channels: int = 1024,
        dropout: float = 0.5,
        shared_dropout: bool = True,
        grad_scale: float = 0.1,
        loss_weight: float = 1.0,
        init_cfg: dict | None = dict(
            type='Normal',
            layer='Linear',
            std=0.01,
            override=dict(type='Normal', name='fc_domain', std=0.05),
        ),
    ) -> None:
        super().__init__(grad_scale, loss_weight, init_cfg)
        self.shared_dropout = shared_dropout
        self.fcs = nn.Sequential(
            nn.Linear(in_channels, feat_channels),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(feat_channels, feat_channels),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.fc_domain = nn.Linear(feat_channels, 1)

    def forward(self, roi_feats: Tensor, reverse: bool = True) -> Tensor:
        """Domain logits (R,) of RoI features (R, C).

        Args:
            roi_feats (Tensor): (R, C).
            reverse (bool): Whether the gradient into them is reversed.
        """
        return self._layers(self.tap(roi_feats, reverse))

    def forward_both_ways(self, roi_feats: Tensor) -> tuple[Tensor, Tensor]:
        """``forward(roi_feats)`` and ``forward(roi_feats, reverse=False)``;
        in one where they drop the same units."""
        if not self.shared_dropout:
            return self(roi_feats), self(roi_feats, reverse=False)
        return both_ways(self._layers, roi_feats, self.grad_scale)

    @property
    def _layers(self) -> nn.Module:
        """All layers, (R, C) to (R,); no submodule, for the weights' names."""
        return nn.Sequential(self.fcs, self.fc_domain, nn.Flatten(0))

    def loss(self, logits: Tensor, is_source: Tensor) -> dict:
        """Mean BCE over all RoIs of both domains.

        Args:
            logits (Tensor): (R,).
            is_source (Tensor): Domain of each RoI, bool, (R,).

        Returns:
            dict[str, Tensor]: ``loss_da_instance`` and ``acc_da_instance``,
            scalars.
        """
        return dict(
            loss_da_instance=self.bce(logits, is_source),
            acc_da_instance=self.accuracy(logits, is_source),
        )
