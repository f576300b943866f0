"""VGG (Simonyan and Zisserman, ICLR 2015) as the backbone of Faster R-CNN."""

import mmcv.cnn
from mmdet.registry import MODELS
from mmengine.model import BaseModule, Sequential
from torch import Tensor, nn


@MODELS.register_module()
class VGG(mmcv.cnn.VGG, BaseModule):
    """Convolutions of VGG without the last pooling: stride 16, 512 channels.

    MMDetection's own VGG, SSDVGG, continues with dilated layers of SSD.

    Args:
        depth (int): Number of layers with weights: 11, 13, 16 or 19.
        frozen_stages (int): Number of the five stages whose weights are
            frozen. Defaults to 2: conv1 and conv2, as in Fast and Faster
            R-CNN.
        init_cfg (dict, optional): Initial weights. Weights have the same names
            as in torchvision.
    """

    def __init__(
        self,
        depth: int = 16,
        frozen_stages: int = 2,
        init_cfg: dict | None = None,
    ) -> None:
        mmcv.cnn.VGG.__init__(
            self,
            depth,
            out_indices=(4,),
            frozen_stages=frozen_stages,
            with_last_pool=False,
        )
        self.init_cfg = init_cfg
        # mmcv's VGG freezes weights in train(), but DistributedDataParallel
        # checks before that which weights are trained.
        self.train()

    def init_weights(self) -> None:
        BaseModule.init_weights(self)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Maps (N, 3, H, W) to one level, (N, 512, H // 16, W // 16)."""
        return (super().forward(x),)


@MODELS.register_module()
class VGGFCLayers(Sequential):
    """Layers fc6 and fc7 of VGG, as the shared head of a RoI head.

    ReLU and dropout follow each layer. The layers are numbered as in
    torchvision's ``classifier``, so its weights load with
    ``prefix='classifier.'``.

    Args:
        in_features (int): Number of values of a RoI. Defaults to 7x7 cells of
            512 channels.
        feat_channels (int): Width of both layers. Defaults to 4096.
        dropout (float): Dropout rate. Defaults to 0.5.
        init_cfg (dict, optional): Initial weights. Defaults to a normal
            distribution of std 0.01.
    """

    def __init__(
        self,
        in_features: int = 512 * 7 * 7,
        feat_channels: int = 4096,
        dropout: float = 0.5,
        init_cfg: dict | None = dict(type='Normal', layer='Linear', std=0.01),
    ) -> None:
        super().__init__(
            nn.Linear(in_features, feat_channels),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(feat_channels, feat_channels),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            init_cfg=init_cfg,
        )

    def forward(self, roi_feats: Tensor) -> Tensor:
        """Maps RoI features (R, C, h, w) to vectors (R, feat_channels)."""
        return super().forward(roi_feats.flatten(1))
