"""Consistency between the image-level and the RoI-level domain classifier."""

from collections.abc import Sequence

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from .domain_classifiers import flatten_cells


@MODELS.register_module()
class DomainConsistencyLoss(nn.Module):
    """Both classifiers should agree (Chen et al., CVPR 2018, Eq. 8).

    The mean over RoIs j of the distance between ``mean_cells
    sigmoid(D_img)_i(j)``, i(j) being the RoI's image, and
    ``sigmoid(D_ins)_j``. The paper writes an L2 norm, which of one number is
    its absolute value: the L1 distance of the reference implementation.

    Args:
        loss_weight (float): Defaults to 0.1.
        squared (bool): Take the square of the distance, as those do who read
            "L2" so. Defaults to False.
    """

    def __init__(
        self, loss_weight: float = 0.1, squared: bool = False
    ) -> None:
        super().__init__()
        if not 0 <= loss_weight < float('inf'):
            raise ValueError(
                'DomainConsistencyLoss: loss_weight must be a '
                f'finite number >= 0, got {loss_weight!r}'
            )
        self.loss_weight = loss_weight
        self.squared = squared

    def forward(
        self,
        image_logits: Sequence[Tensor],
        roi_logits: Tensor,
        roi_image_ids: Tensor,
        weights: Tensor | None = None,
    ) -> dict:
        """
        Args:
            image_logits (Sequence[Tensor]): L maps of (N, 1, H_l, W_l).
            roi_logits (Tensor): (R,).
            roi_image_ids (Tensor): Index of each RoI's image, long, (R,).
            weights (Tensor, optional): 1 or 0 for each of the K cells of an
                image, (N, K). RoIs of an image without any do not count.

        Returns:
            dict[str, Tensor]: ``loss_da_consistency``, a scalar.
        """
        # In float32 also under autocast: a loss is scaled by 65536 there.
        probs = flatten_cells(image_logits).float().sigmoid()
        roi_probs = roi_logits.float().sigmoid()
        if weights is None:
            weights = torch.ones_like(probs)
        counts = weights.sum(dim=1)
        image_probs = (probs * weights).sum(dim=1) / counts.clamp(min=1)
        # Of an image without a cell nothing is known.
        known = (counts > 0).float()[roi_image_ids]
        distance = (image_probs[roi_image_ids] - roi_probs).abs()
        if self.squared:
            distance = distance.square()
        mean = (distance * known).sum() / known.sum().clamp(min=1)
        return dict(loss_da_consistency=self.loss_weight * mean)
