"""Consistency loss of the image-level and the instance-level classifier."""

from collections.abc import Sequence

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from .domain_classifier_neck import flatten_cells


@MODELS.register_module()
class DomainConsistencyLoss(nn.Module):
    """Distance between the predictions of both classifiers.

    The loss (Chen et al., CVPR 2018, Eq. 8) is the mean over RoIs j of the
    distance between ``mean_cells sigmoid(D_img)_i(j)``, where i(j) is the
    RoI's image, and ``sigmoid(D_ins)_j``. The paper writes an L2 norm. The L2
    norm of one number is its absolute value, the L1 distance of the reference
    implementation.

    Args:
        loss_weight (float): Weight of the loss. Defaults to 0.1.
        squared (bool): Whether to square the distance, the other reading of
            "L2". Defaults to False.

    Raises:
        ValueError: If ``loss_weight`` is negative or not finite.
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
        """Computes the loss.

        Args:
            image_logits (Sequence[Tensor]): L maps of (N, 1, H_l, W_l).
            roi_logits (Tensor): Domain logits of the RoIs, (R,).
            roi_image_ids (Tensor): Index of each RoI's image, long, (R,).
            weights (Tensor, optional): 1 or 0 for each of the K cells of an
                image, (N, K). RoIs of an image whose weights are all 0 do not
                count.

        Returns:
            dict[str, Tensor]: ``loss_da_consistency``, a scalar.
        """
        # In float32, also under autocast: a loss scaler multiplies by 65536,
        # which float16 cannot hold.
        probs = flatten_cells(image_logits).float().sigmoid()
        roi_probs = roi_logits.float().sigmoid()
        if weights is None:
            weights = torch.ones_like(probs)
        counts = weights.sum(dim=1)
        image_probs = (probs * weights).sum(dim=1) / counts.clamp(min=1)
        # Nothing is known of an image without cells.
        known = (counts > 0).float()[roi_image_ids]
        distance = (image_probs[roi_image_ids] - roi_probs).abs()
        if self.squared:
            distance = distance.square()
        mean = (distance * known).sum() / known.sum().clamp(min=1)
        return dict(loss_da_consistency=self.loss_weight * mean)
