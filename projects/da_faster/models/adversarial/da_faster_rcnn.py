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
    """Faster R-CNN that learns features both domains share.

    Trained on a batch of two domains it adds up to three losses to the
    detection losses of the source; each is off where its config is None. On a
    plain batch, and in testing, it is MMDetection's FasterRCNN.

    Args:
        domain_neck (dict, optional): Image-level domain classifier:
            ``loss_da_image``.
        instance_domain_head (dict, optional): RoI-level domain classifier:
            ``loss_da_instance``. Needs a ``DARoIHead``.
        loss_consistency (dict, optional): Consistency of the two:
            ``loss_da_consistency``. Needs both.
        *args, **kwargs: Of FasterRCNN.
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
        # With one seed the detector starts from the same weights whatever is
        # switched on: building draws random numbers, a fork keeps them apart.
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
        """Losses of a plain batch, or of one batch of each domain.

        Args:
            batch_inputs (Tensor or dict[str, Tensor]): (N, 3, H, W), or such
                a tensor for each of ``source`` and ``target``, H and W equal.
            batch_data_samples (list or dict[str, list]): DetDataSamples; of
                the target's only the metainfo is read.

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
        """RPN losses of the source, training proposals of both domains.

        Args:
            x (tuple[Tensor]): L maps of shape (N, C, H_l, W_l), S source
                images first.
            source (list[DetDataSample]): S, with ``gt_instances``.
            target_metas (list[dict]): Metainfo of the N - S target images;
                none, and they get no proposals.

        Returns:
            tuple[dict, list[InstanceData]]: Losses; proposals of all images
            that have metainfo.
        """
        samples = copy.deepcopy(source)
        for sample in samples:  # the RPN knows one class, 0
            sample.gt_instances.labels.zero_()
        cfg = self.train_cfg.get('rpn_proposal', self.test_cfg.rpn)
        losses, proposals = self.rpn_head.loss_and_predict(
            tuple(level[: len(source)] for level in x),
            samples,
            proposal_cfg=cfg,
        )
        if target_metas:
            # No loss of the RPN sees the target, so no backward pass is paid.
            # It comes second: autocast would keep weights without a gradient.
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
        """The adversarial losses and their consistency.

        Args:
            x (tuple[Tensor]): L maps of shape (N, C, H_l, W_l).
            metas (list[dict]): Metainfo of the N images.
            roi_vectors (Tensor): (R, D).
            image_ids (Tensor): Image of each RoI, long, (R,).
            num_source (int): The first images are the source's.

        Returns:
            dict[str, Tensor]: Losses of the parts that are switched on, and
            the accuracy of the classifiers among them.
        """
        losses = dict()
        # The consistency term's gradient is not reversed: there the detector
        # shall help the two classifiers to agree.
        neck, head = self.domain_neck, self.instance_domain_head
        if neck:
            cells, weights = neck.select_cells(x, metas)
            image_is_source = (
                torch.arange(len(metas), device=x[0].device) < num_source
            )
            if self.loss_consistency:
                logits, agreeing = neck.forward_both_ways(cells)
            else:
                logits = neck(cells)
            losses.update(neck.loss(logits, image_is_source, weights))
        if head:
            if self.loss_consistency:
                logits, roi_agreeing = head.forward_both_ways(roi_vectors)
            else:
                logits = head(roi_vectors)
            losses.update(head.loss(logits, image_ids < num_source))
        if self.loss_consistency:
            losses.update(
                self.loss_consistency(
                    agreeing, roi_agreeing, image_ids, weights
                )
            )
        return losses
