"""Domain classifiers behind gradient reversal: image level and RoI level.

Shapes: N images (source and target), L feature levels of (N, C, H_l, W_l),
K = sum of H_l * W_l cells an image, R RoIs of both domains. The domain label
is 1 for source, 0 for target.
"""
from collections import OrderedDict
from typing import List, Optional, Sequence, Tuple

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

    def bce(self,
            logits: Tensor,
            is_source: Tensor,
            weight: Optional[Tensor] = None) -> Tensor:
        """Mean binary cross-entropy; 0 without logits, so never NaN.

        Args:
            logits (Tensor): Any shape.
            is_source (Tensor): Domain labels, bool, same shape.
            weight (Tensor, optional): Of each logit, same shape.
        """
        total = F.binary_cross_entropy_with_logits(
            logits, is_source.to(logits.dtype), weight, reduction='sum')
        count = max(logits.numel(), 1) if weight is None else weight.sum()
        return self.loss_weight * total / count


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
        grad_scale (float): Scale of the reversed gradient. Defaults to 0.1.
        loss_weight (float): Defaults to 1.
        init_cfg (dict): Defaults to a normal of std 0.001.
    """

    def __init__(
        self,
        in_channels: int,
        feat_channels: int = 512,
        num_levels: Optional[int] = None,
        ignore_padding: bool = True,
        grad_scale: float = 0.1,
        loss_weight: float = 1.0,
        init_cfg: Optional[dict] = dict(
            type='Normal', layer='Conv2d', std=0.001)
    ) -> None:
        super().__init__(grad_scale, loss_weight, init_cfg)
        if num_levels is not None and num_levels < 1:
            raise ValueError('DomainClassifierNeck: num_levels must be at '
                             f'least 1 or None, got {num_levels!r}')
        self.num_levels = num_levels
        self.ignore_padding = ignore_padding
        self.classifiers = nn.ModuleList(
            nn.Sequential(
                OrderedDict(
                    conv=nn.Conv2d(in_channels, feat_channels, 1),
                    relu=nn.ReLU(inplace=True),
                    conv_domain=nn.Conv2d(feat_channels, 1, 1)))
            for _ in range(num_levels or 1))

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
            classifier(self.tap(x, reverse))
            for classifier, x in self._of_levels(feats))

    def forward_both_ways(
        self, feats: Sequence[Tensor]
    ) -> Tuple[Tuple[Tensor, ...], Tuple[Tensor, ...]]:
        """``forward(feats)`` and ``forward(feats, reverse=False)`` in one."""
        return tuple(
            zip(*(both_ways(classifier, x, self.grad_scale)
                  for classifier, x in self._of_levels(feats))))

    def _of_levels(
            self, feats: Sequence[Tensor]) -> List[Tuple[nn.Module, Tensor]]:
        """Each level with its classifier."""
        classifiers = list(self.classifiers)
        if self.num_levels is None:
            classifiers *= len(feats)
        elif len(feats) != self.num_levels:
            raise ValueError(
                f'DomainClassifierNeck: num_levels is {self.num_levels}, but '
                f'the detector has {len(feats)} feature levels')
        return list(zip(classifiers, feats))

    def image_cells(self, feats: Sequence[Tensor],
                    metas: List[dict]) -> Optional[Tensor]:
        """Which cells show the image and not only its padding.

        Args:
            feats (Sequence[Tensor]): L maps of shape (N, C, H_l, W_l).
            metas (list[dict]): N, with ``img_shape`` and
                ``batch_input_shape``, (height, width) in pixels.

        Returns:
            Tensor or None: 1 or 0, (N, K); None where padding counts too.
        """
        if not self.ignore_padding:
            return None
        levels = []
        for x in feats:
            height, width = x.shape[-2:]
            # A cell counts if it begins in the image; integers, so exact.
            ends = []
            for meta in metas:
                h, w = meta['img_shape'][:2]
                padded_h, padded_w = meta['batch_input_shape']
                ends.append([-(-height * h // padded_h),
                             -(-width * w // padded_w)])
            ends = torch.tensor(ends, device=x.device)
            rows = torch.arange(height, device=x.device) < ends[:, :1]
            cols = torch.arange(width, device=x.device) < ends[:, 1:]
            levels.append(rows[:, :, None] & cols[:, None, :])
        return flatten_cells(levels).float()

    def loss(self,
             feats: Sequence[Tensor],
             is_source: Tensor,
             cells: Optional[Tensor] = None) -> dict:
        """Mean BCE over the cells of all images and levels.

        Args:
            feats (Sequence[Tensor]): L maps of shape (N, C, H_l, W_l).
            is_source (Tensor): Domain of each image, bool, (N,).
            cells (Tensor, optional): Of ``image_cells``, (N, K).

        Returns:
            dict[str, Tensor]: ``loss_da_image``, a scalar.
        """
        return self.loss_by_logits(self(feats), is_source, cells)

    def loss_by_logits(self,
                       logits: Sequence[Tensor],
                       is_source: Tensor,
                       cells: Optional[Tensor] = None) -> dict:
        """As ``loss``, of what ``forward`` returned."""
        logits = flatten_cells(logits)
        labels = is_source[:, None].expand_as(logits)
        return dict(loss_da_image=self.bce(logits, labels, cells))


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
        init_cfg: Optional[dict] = dict(
            type='Normal',
            layer='Linear',
            std=0.01,
            override=dict(type='Normal', name='fc_domain', std=0.05))
    ) -> None:
        super().__init__(grad_scale, loss_weight, init_cfg)
        self.shared_dropout = shared_dropout
        self.fcs = nn.Sequential(
            nn.Linear(in_channels, feat_channels), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(feat_channels, feat_channels),
            nn.ReLU(), nn.Dropout(dropout))
        self.fc_domain = nn.Linear(feat_channels, 1)

    def dropout_masks(self, num_rois: int) -> Optional[List[Tensor]]:
        """The units that this iteration keeps; None to draw at every pass.

        Returns:
            list[Tensor] or None: A factor of each unit, (R, feat_channels),
            for each hidden layer.
        """
        if not self.shared_dropout:
            return None
        ones = self.fc_domain.weight.new_ones(num_rois,
                                              self.fc_domain.in_features)
        return [
            layer(ones) for layer in self.fcs if isinstance(layer, nn.Dropout)
        ]

    def forward(self,
                roi_feats: Tensor,
                reverse: bool = True,
                masks: Optional[List[Tensor]] = None) -> Tensor:
        """Domain logits (R,) of RoI features (R, C).

        Args:
            roi_feats (Tensor): (R, C).
            reverse (bool): Whether the gradient into them is reversed.
            masks (list[Tensor], optional): Of ``dropout_masks``.
        """
        x = self.tap(roi_feats, reverse)
        given = iter(masks or ())
        for layer in self.fcs:
            if masks and isinstance(layer, nn.Dropout):
                x = x * next(given)
            else:
                x = layer(x)
        return self.fc_domain(x).squeeze(1)

    def loss(self,
             roi_feats: Tensor,
             is_source: Tensor,
             masks: Optional[List[Tensor]] = None) -> dict:
        """Mean BCE over all RoIs of both domains.

        Args:
            roi_feats (Tensor): RoI features, (R, C).
            is_source (Tensor): Domain of each RoI, bool, (R,).
            masks (list[Tensor], optional): Of ``dropout_masks``.

        Returns:
            dict[str, Tensor]: ``loss_da_instance``, a scalar.
        """
        logits = self(roi_feats, masks=masks)
        return dict(loss_da_instance=self.bce(logits, is_source))
