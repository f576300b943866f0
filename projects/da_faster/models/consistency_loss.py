"""Consistency between the image-level and the RoI-level domain classifier."""
from typing import Optional, Sequence

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

    def __init__(self,
                 loss_weight: float = 0.1,
                 squared: bool = False) -> None:
        super().__init__()
        if not 0 <= loss_weight < float('inf'):
            raise ValueError('DomainConsistencyLoss: loss_weight must be a '
                             f'finite number >= 0, got {loss_weight!r}')
        self.loss_weight = loss_weight
        self.squared = squared

    def forward(self,
                image_logits: Sequence[Tensor],
                roi_logits: Tensor,
                roi_image_ids: Tensor,
                weights: Optional[Tensor] = None) -> dict:
        """
        Args:
            image_logits (Sequence[Tensor]): L maps of (N, 1, H_l, W_l).
            roi_logits (Tensor): (R,).
            roi_image_ids (Tensor): Index of each RoI's image, long, (R,).
            weights (Tensor, optional): Of each of the K cells of an image,
                (N, K).

        Returns:
            dict[str, Tensor]: ``loss_da_consistency``, a scalar.
        """
        probs = flatten_cells(image_logits).sigmoid()
        if weights is None:
            image_prob = probs.mean(dim=1)
        else:
            counts = weights.sum(dim=1).clamp(min=1)
            image_prob = (probs * weights).sum(dim=1) / counts
        distance = (image_prob[roi_image_ids] - roi_logits.sigmoid()).abs()
        if self.squared:
            distance = distance.square()
        mean = distance.sum() / max(distance.numel(), 1)
        return dict(loss_da_consistency=self.loss_weight * mean)
