"""Domain Adaptive Faster R-CNN (Chen et al., CVPR 2018)."""

import copy

import torch
from mmdet.models.detectors import FasterRCNN
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.utils import InstanceList
from torch import Tensor


@MODELS.register_module()
class DAFasterRCNN(FasterRCNN):
    """Faster R-CNN that learns features which both domains share.

    On a batch of both domains it adds up to three losses to the detection
    losses of the source. Each is off if its config is None. On a plain batch
    and in testing it equals MMDetection's FasterRCNN.

    Args:
        domain_neck (dict, optional): Image-level domain classifier, which adds
            ``loss_da_image``.
        instance_domain_head (dict, optional): Instance-level domain
            classifier, which adds ``loss_da_instance``. It needs a
            ``DARoIHead``.
        loss_consistency (dict, optional): Consistency loss of both
            classifiers, ``loss_da_consistency``. It needs both.
        *args, **kwargs: Arguments of FasterRCNN.

    Raises:
        ValueError: If ``loss_consistency`` is given without both classifiers.
    """

    def __init__(
        self,
        *args,
        domain_neck: dict | None = None,
        instance_domain_head: dict | None = None,
        loss_consistency: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(*args, **kwargs)
        if loss_consistency and not (domain_neck and instance_domain_head):
            raise ValueError(
                'DAFasterRCNN: loss_consistency compares domain_neck with '
                'instance_domain_head; set both, or loss_consistency=None'
            )
        # Building draws random numbers. A fork keeps them apart, so that a
        # seed gives the same detector weights whatever is switched on.
        with torch.random.fork_rng(devices=[]):
            self.domain_neck = domain_neck and MODELS.build(domain_neck)
            self.instance_domain_head = instance_domain_head and MODELS.build(
                instance_domain_head
            )
            self.loss_consistency = loss_consistency and MODELS.build(
                loss_consistency
            )

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
        target_metas = [s.metainfo for s in batch_data_samples['target']]
        metas = [s.metainfo for s in source] + target_metas

        x = self.extract_feat(images)
        # The target's RoIs serve the instance-level classifier alone.
        losses, proposals = self.rpn_loss(
            x, source, target_metas if self.instance_domain_head else []
        )
        roi_losses, roi_vectors, image_ids = self.roi_head.loss_both_domains(
            x, proposals, source
        )
        losses.update(roi_losses)
        losses.update(
            self.domain_loss(x, metas, roi_vectors, image_ids, len(source))
        )
        return losses

    def rpn_loss(
        self, x: tuple[Tensor], source: SampleList, target_metas: list
    ) -> tuple[dict, InstanceList]:
        """Computes RPN losses of the source and proposals of both domains.

        Args:
            x (tuple[Tensor]): L maps of shape (N, C, H_l, W_l), the S source
                images first.
            source (list[DetDataSample]): S samples with ``gt_instances``.
            target_metas (list[dict]): Metainfo of the N - S target images. If
                it is empty, target images get no proposals.

        Returns:
            tuple[dict, list[InstanceData]]: Losses, and proposals of the S
            source images and of the images in ``target_metas``.
        """
        samples = copy.deepcopy(source)
        for sample in samples:  # the RPN has one class, 0
            sample.gt_instances.labels.zero_()
        cfg = self.train_cfg.get('rpn_proposal', self.test_cfg.rpn)
        losses, proposals = self.rpn_head.loss_and_predict(
            tuple(level[: len(source)] for level in x),
            samples,
            proposal_cfg=cfg,
        )
        if target_metas:
            # The RPN has no loss on the target, so no gradient is needed.
            # This pass comes second: autocast would cache weights without a
            # gradient.
            with torch.no_grad():
                proposals += self.rpn_head.predict_by_feat(
                    *self.rpn_head(tuple(level[len(source) :] for level in x)),
                    batch_img_metas=target_metas,
                    cfg=cfg,
                )
        return {
            k if 'rpn' in k else f'rpn_{k}': v for k, v in losses.items()
        }, proposals

    def domain_loss(
        self,
        x: tuple[Tensor],
        metas: list,
        roi_vectors: Tensor,
        image_ids: Tensor,
        num_source: int,
    ) -> dict:
        """Computes the adversarial losses and the consistency loss.

        Args:
            x (tuple[Tensor]): L maps of shape (N, C, H_l, W_l).
            metas (list[dict]): Metainfo of the N images.
            roi_vectors (Tensor): Vectors of the RoIs, (R, D).
            image_ids (Tensor): Image of each RoI, long, (R,).
            num_source (int): Number of source images, which come first.

        Returns:
            dict[str, Tensor]: Losses of the parts that are switched on, and
            accuracies of their classifiers.
        """
        losses = dict()
        # The gradient of the consistency loss is not reversed, as the detector
        # shall help the two classifiers to agree.
        neck, head = self.domain_neck, self.instance_domain_head
        if neck:
            cells, weights = neck.select_cells(x, metas)
            image_is_source = (
                torch.arange(len(metas), device=x[0].device) < num_source
            )
            if self.loss_consistency:
                logits, plain_logits = neck.forward_both_ways(cells)
            else:
                logits = neck(cells)
            losses.update(neck.loss(logits, image_is_source, weights))
        if head:
            if self.loss_consistency:
                logits, plain_roi_logits = head.forward_both_ways(roi_vectors)
            else:
                logits = head(roi_vectors)
            losses.update(head.loss(logits, image_ids < num_source))
        if self.loss_consistency:
            losses.update(
                self.loss_consistency(
                    plain_logits, plain_roi_logits, image_ids, weights
                )
            )
        return losses
