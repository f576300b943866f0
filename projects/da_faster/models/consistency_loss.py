"""Consistency between the image-level and the RoI-level domain classifier."""
from typing import Sequence

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class DomainConsistencyLoss(nn.Module):
    """Both classifiers should agree (Chen et al., CVPR 2018, Eq. 8).

    The mean over RoIs j of ``|mean_cells sigmoid(D_img)_i(j) -
    sigmoid(D_ins)_j|``, i(j) being the RoI's image. The paper writes an L2
    distance; the reference implementation uses L1, and so does this.

    Args:
        loss_weight (float): Defaults to 0.1.
    """

    def __init__(self, loss_weight: float = 0.1) -> None:
        super().__init__()
        if not 0 <= loss_weight < float('inf'):
            raise ValueError('DomainConsistencyLoss: loss_weight must be a '
                             f'finite number >= 0, got {loss_weight!r}')
        self.loss_weight = loss_weight

    def forward(self, image_logits: Sequence[Tensor], roi_logits: Tensor,
                roi_image_ids: Tensor) -> dict:
        """
        Args:
            image_logits (Sequence[Tensor]): L maps of (N, 1, H_l, W_l).
            roi_logits (Tensor): (R,).
            roi_image_ids (Tensor): Index of each RoI's image, long, (R,).

        Returns:
            dict[str, Tensor]: ``loss_da_consistency``, a scalar.
        """
        cells = torch.cat([x.flatten(1) for x in image_logits], dim=1)
        image_prob = cells.sigmoid().mean(dim=1)
        distance = (image_prob[roi_image_ids] - roi_logits.sigmoid()).abs()
        mean = distance.sum() / max(distance.numel(), 1)
        return dict(loss_da_consistency=self.loss_weight * mean)
