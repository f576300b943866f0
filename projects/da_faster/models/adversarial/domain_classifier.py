"""Base class of domain classifiers: gradient reversal, loss and accuracy."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from .grad_reverse import scale_gradient


class DomainClassifier(BaseModule):
    """Base class of the image-level and the instance-level classifier.

    Args:
        grad_scale (float): The detector gets the gradient of the classifier
            times ``-grad_scale``. The classifier itself learns with the full
            gradient. Defaults to 0.1.
        loss_weight (float): Weight of the classification loss. Defaults to 1.
        init_cfg (dict or list[dict], optional): Initial weights.

    Raises:
        ValueError: If ``grad_scale`` or ``loss_weight`` is negative or not
            finite.
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

    def with_scaled_gradient(self, x: Tensor, reverse: bool) -> Tensor:
        """Returns features unchanged; their gradient is scaled.

        Adversarial losses reverse the gradient. The consistency loss does
        not, as the detector shall help to reduce it; the scale is the same.

        Args:
            x (Tensor): Features of the detector, any shape.
            reverse (bool): Whether the gradient is reversed, too.
        """
        return scale_gradient(
            x, -self.grad_scale if reverse else self.grad_scale
        )

    def bce(
        self, logits: Tensor, is_source: Tensor, weight: Tensor | None = None
    ) -> Tensor:
        """Mean binary cross-entropy times ``loss_weight``.

        Args:
            logits (Tensor): Any shape.
            is_source (Tensor): Domain labels, bool, same shape.
            weight (Tensor, optional): 1 or 0 for each logit, same shape.

        Returns:
            Tensor: A scalar; 0, not NaN, without logits.
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
        """Balanced accuracy of the classifier at a probability of 0.5.

        This is the mean of both domains' accuracies. A classifier that only
        guesses has 50 %, however many logits each domain has. The accuracy of
        a domain without logits is taken as 50 %.

        Args:
            logits (Tensor): Any shape.
            is_source (Tensor): Domain labels, bool, same shape.
            weight (Tensor, optional): 1 or 0 for each logit, same shape.

        Returns:
            Tensor: A scalar, percent, like MMDetection's ``acc``.
        """
        right = ((logits > 0) == is_source).float()
        counted = torch.ones_like(right) if weight is None else weight
        accuracies = []
        for domain in (is_source, ~is_source):
            of_domain = counted * domain
            count = of_domain.sum()
            accuracy = (right * of_domain).sum() / count.clamp(min=1)
            accuracies.append(accuracy + 0.5 * (count == 0))
        return 50 * (accuracies[0] + accuracies[1])
