"""Domain classifiers behind gradient reversal: image level and RoI level.

Shapes: N images (source and target), L feature levels of (N, C, H_l, W_l),
R RoIs of both domains. The domain label is 1 for source, 0 for target.
"""
from typing import Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from .grad_reverse import scale_gradient


class DomainClassifier(BaseModule):
    """Gradient reversal and loss that both levels share.

    Args:
        grad_scale (float): The gradient that reaches the detector is the
            classifier's own, times ``-grad_scale``. The classifier itself
            learns at full strength. Defaults to 0.1.
        loss_weight (float): Weight of the classification loss.
        init_cfg (dict or list[dict], optional): Initial weights.
    """

    def __init__(self,
                 grad_scale: float = 0.1,
                 loss_weight: float = 1.0,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        for name, value in (('grad_scale', grad_scale), ('loss_weight',
                                                         loss_weight)):
            if not 0 <= value < float('inf'):
                raise ValueError(f'{type(self).__name__}: {name} must be a '
                                 f'finite number >= 0, got {value!r}')
        self.grad_scale = grad_scale
        self.loss_weight = loss_weight

    def tap(self, x: Tensor, reverse: bool) -> Tensor:
        """The detector's features as the classifier sees them.

        Adversarial losses reverse the gradient. The consistency term asks the
        detector to cooperate: same scale, not reversed.
        """
        return scale_gradient(x, -self.grad_scale if reverse else
                              self.grad_scale)

    def bce(self, logits: Tensor, is_source: Tensor) -> Tensor:
        """Mean binary cross-entropy; 0 without logits, so never NaN.

        Args:
            logits (Tensor): Any shape.
            is_source (Tensor): Domain labels, bool, same shape.
        """
        total = F.binary_cross_entropy_with_logits(
            logits, is_source.to(logits.dtype), reduction='sum')
        return self.loss_weight * total / max(logits.numel(), 1)


@MODELS.register_module()
class DomainClassifierNeck(DomainClassifier):
    """Image-level domain classifier (Chen et al., CVPR 2018, Eq. 5).

    Two 1x1 convolutions say of every cell of every feature map which domain
    it comes from; one classifier serves all levels.

    Args:
        in_channels (int): Channels of each feature level.
        feat_channels (int): Hidden channels. Defaults to 512.
        grad_scale (float): Scale of the reversed gradient. Defaults to 0.1.
        loss_weight (float): Defaults to 1.
        init_cfg (dict): Defaults to a normal of std 0.001.
    """

    def __init__(
        self,
        in_channels: int,
        feat_channels: int = 512,
        grad_scale: float = 0.1,
        loss_weight: float = 1.0,
        init_cfg: Optional[dict] = dict(
            type='Normal', layer='Conv2d', std=0.001)
    ) -> None:
        super().__init__(grad_scale, loss_weight, init_cfg)
        self.conv = nn.Conv2d(in_channels, feat_channels, 1)
        self.conv_domain = nn.Conv2d(feat_channels, 1, 1)

    def forward(self,
                feats: Sequence[Tensor],
                reverse: bool = True) -> Tuple[Tensor, ...]:
        """Domain logits of every cell.

        Args:
            feats (Sequence[Tensor]): L maps of shape (N, C, H_l, W_l).
            reverse (bool): Whether the gradient into ``feats`` is reversed.

        Returns:
            tuple[Tensor]: L maps of shape (N, 1, H_l, W_l).
        """
        return tuple(
            self.conv_domain(F.relu(self.conv(self.tap(x, reverse))))
            for x in feats)

    def loss(self, feats: Sequence[Tensor], is_source: Tensor) -> dict:
        """Mean BCE over all cells of all images and levels.

        Args:
            feats (Sequence[Tensor]): L maps of shape (N, C, H_l, W_l).
            is_source (Tensor): Domain of each image, bool, (N,).

        Returns:
            dict[str, Tensor]: ``loss_da_image``, a scalar.
        """
        logits = torch.cat([x.flatten(1) for x in self(feats)], dim=1)
        labels = is_source[:, None].expand_as(logits)
        return dict(loss_da_image=self.bce(logits, labels))


@MODELS.register_module()
class InstanceDomainHead(DomainClassifier):
    """Instance-level domain classifier (Chen et al., CVPR 2018, Eq. 7).

    Args:
        in_channels (int): Channels of a RoI's feature vector.
        feat_channels (int): Hidden channels. Defaults to 1024.
        dropout (float): After each hidden layer. Defaults to 0.5.
        grad_scale (float): Scale of the reversed gradient. Defaults to 0.1.
        loss_weight (float): Defaults to 1.
        init_cfg (dict): Defaults to normals of std 0.01, 0.01 and 0.05.
    """

    def __init__(
        self,
        in_channels: int,
        feat_channels: int = 1024,
        dropout: float = 0.5,
        grad_scale: float = 0.1,
        loss_weight: float = 1.0,
        init_cfg: Optional[dict] = dict(
            type='Normal',
            layer='Linear',
            std=0.01,
            override=dict(type='Normal', name='fc_domain', std=0.05))
    ) -> None:
        super().__init__(grad_scale, loss_weight, init_cfg)
        self.fcs = nn.Sequential(
            nn.Linear(in_channels, feat_channels), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(feat_channels, feat_channels),
            nn.ReLU(), nn.Dropout(dropout))
        self.fc_domain = nn.Linear(feat_channels, 1)

    def forward(self, roi_feats: Tensor, reverse: bool = True) -> Tensor:
        """Domain logits (R,) of RoI features (R, C)."""
        return self.fc_domain(self.fcs(self.tap(roi_feats,
                                                reverse))).squeeze(1)

    def loss(self, roi_feats: Tensor, is_source: Tensor) -> dict:
        """Mean BCE over all RoIs of both domains.

        Args:
            roi_feats (Tensor): RoI features, (R, C).
            is_source (Tensor): Domain of each RoI, bool, (R,).

        Returns:
            dict[str, Tensor]: ``loss_da_instance``, a scalar.
        """
        return dict(loss_da_instance=self.bce(self(roi_feats), is_source))
