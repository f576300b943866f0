"""VGG (Simonyan and Zisserman, ICLR 2015) as the backbone of Faster R-CNN."""

import mmcv.cnn
from mmdet.registry import MODELS
from mmengine.model import BaseModule, Sequential
from torch import Tensor, nn


@MODELS.register_module()
class VGG(mmcv.cnn.VGG, BaseModule):
    """Convolutions of VGG without the last pooling: stride 16, 512 channels.

    MMDetection's own VGG, SSDVGG, goes on with dilated layers of SSD.

    Args:
        depth (int): 11, 13, 16 or 19.
        frozen_stages (int): How many of the five stages keep their weights.
            Defaults to 2: conv1 and conv2, as in Fast and Faster R-CNN.
        init_cfg (dict, optional): Initial weights. torchvision's names fit.
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
        # mmcv's freezes in train() alone; DistributedDataParallel asks before.
        self.train()

    def init_weights(self) -> None:
        BaseModule.init_weights(self)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(N, 3, H, W) to one level, (N, 512, H // 16, W // 16)."""
        return (super().forward(x),)


@MODELS.register_module()
class VGGFCLayers(Sequential):
    """fc6 and fc7 of VGG, each with ReLU and dropout: a RoI head's shared
    head.

    The layers are numbered as in torchvision's ``classifier``, so that its
    weights fit: ``prefix='classifier.'``.

    Args:
        in_features (int): Values of a RoI's features. Defaults to those of
            7x7 cells of 512 channels.
        feat_channels (int): Width of both layers. Defaults to 4096.
        dropout (float): Defaults to 0.5.
        init_cfg (dict, optional): Initial weights. Defaults to a normal of
            std 0.01.
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
        """RoI features (R, C, h, w) to vectors (R, feat_channels)."""
        return super().forward(roi_feats.flatten(1))
