"""Instance-level domain classifier.

Shapes: R RoIs of both domains, C channels of a RoI's feature vector. The
domain label is 1 for source, 0 for target.
"""

from mmdet.registry import MODELS
from torch import Tensor, nn

from .domain_classifier import DomainClassifier
from .grad_reverse import both_ways


@MODELS.register_module()
class InstanceDomainHead(DomainClassifier):
    """Instance-level domain classifier (Chen et al., CVPR 2018, Eq. 7).

    Args:
        in_channels (int): Channels of a RoI's feature vector.
        feat_channels (int): Hidden channels. Defaults to 1024.
        dropout (float): Dropout rate after each hidden layer. Defaults to 0.5.
        shared_dropout (bool): Whether the adversarial loss and the consistency
            loss of an iteration drop the same units, so that both use one
            prediction. The reference drops units independently. Defaults to
            True.
        grad_scale (float): Scale of the reversed gradient. Defaults to 0.1.
        loss_weight (float): Weight of the loss. Defaults to 1.
        init_cfg (dict): Initial weights. Defaults to normal distributions of
            std 0.01, 0.01 and 0.05.
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
        """Computes the domain logits of RoIs.

        Args:
            roi_feats (Tensor): RoI features, (R, C).
            reverse (bool): Whether the gradient into ``roi_feats`` is
                reversed.

        Returns:
            Tensor: (R,).
        """
        return self._layers(self.with_scaled_gradient(roi_feats, reverse))

    def forward_both_ways(self, roi_feats: Tensor) -> tuple[Tensor, Tensor]:
        """Computes ``forward(x)`` and ``forward(x, reverse=False)`` of RoIs x.

        Both take one pass if ``shared_dropout`` is set (see
        :func:`both_ways`).
        """
        if not self.shared_dropout:
            return self(roi_feats), self(roi_feats, reverse=False)
        return both_ways(self._layers, roi_feats, self.grad_scale)

    @property
    def _layers(self) -> nn.Module:
        """The classifier as one module, from (R, C) to (R,).

        A registered submodule would change the names of the weights.
        """
        return nn.Sequential(self.fcs, self.fc_domain, nn.Flatten(0))

    def loss(self, logits: Tensor, is_source: Tensor) -> dict:
        """Computes the mean BCE over all RoIs of both domains.

        Args:
            logits (Tensor): Domain logits, (R,).
            is_source (Tensor): Domain of each RoI, bool, (R,).

        Returns:
            dict[str, Tensor]: ``loss_da_instance`` and ``acc_da_instance``,
            scalars.
        """
        return dict(
            loss_da_instance=self.bce(logits, is_source),
            acc_da_instance=self.accuracy(logits, is_source),
        )
