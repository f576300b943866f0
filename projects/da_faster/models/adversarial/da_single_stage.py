"""Image-level domain adaptation of single-stage detectors."""

import torch
from mmdet.models.detectors import SingleStageDetector
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor


@MODELS.register_module()
class DASingleStageDetector(SingleStageDetector):
    """Single-stage detector with the image classifier of DA Faster R-CNN.

    There are no RoIs, so only the image-level part of Chen et al. (CVPR 2018,
    Eq. 5) remains. The class works for every SingleStageDetector that differs
    in its ``bbox_head`` alone, such as RetinaNet and FCOS. On a plain batch
    and in testing it equals MMDetection's SingleStageDetector.

    Args:
        domain_neck (dict, optional): Image-level domain classifier, which adds
            ``loss_da_image``.
        *args, **kwargs: Arguments of SingleStageDetector.
    """

    def __init__(
        self, *args, domain_neck: dict | None = None, **kwargs
    ) -> None:
        super().__init__(*args, **kwargs)
        # As in DAFasterRCNN, a seed gives the same detector weights with and
        # without a domain classifier.
        with torch.random.fork_rng(devices=[]):
            self.domain_neck = domain_neck and MODELS.build(domain_neck)

    def loss(
        self,
        batch_inputs: Tensor | dict,
        batch_data_samples: SampleList | dict,
    ) -> dict:
        """Computes the losses of a plain batch, or of a batch of both domains.

        Args:
            batch_inputs (Tensor or dict[str, Tensor]): (N, 3, H, W), or such
                a tensor for each of ``source`` and ``target``, H and W equal.
            batch_data_samples (list or dict[str, list]): DetDataSamples. Only
                the metainfo of target samples is read.

        Returns:
            dict[str, Tensor]: Losses.
        """
        if not isinstance(batch_inputs, dict):
            return super().loss(batch_inputs, batch_data_samples)

        images = torch.cat([batch_inputs['source'], batch_inputs['target']])
        source = batch_data_samples['source']
        x = self.extract_feat(images)
        losses = self.bbox_head.loss(
            tuple(level[: len(source)] for level in x), source
        )
        metas = [s.metainfo for s in [*source, *batch_data_samples['target']]]
        losses.update(self.domain_loss(x, metas, len(source)))
        return losses

    def domain_loss(
        self, x: tuple[Tensor], metas: list, num_source: int
    ) -> dict:
        """Computes the adversarial loss.

        Args:
            x (tuple[Tensor]): L maps of shape (N, C, H_l, W_l).
            metas (list[dict]): Metainfo of the N images.
            num_source (int): Number of source images, which come first.

        Returns:
            dict[str, Tensor]: ``loss_da_image`` and ``acc_da_image``; empty
            without a ``domain_neck``.
        """
        if not self.domain_neck:
            return dict()
        cells, weights = self.domain_neck.select_cells(x, metas)
        is_source = torch.arange(len(metas), device=x[0].device) < num_source
        return self.domain_neck.loss(
            self.domain_neck(cells), is_source, weights
        )
