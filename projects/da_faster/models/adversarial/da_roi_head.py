"""RoI head that pools the RoIs of both domains in one pass.

Shapes: N images, the S source images first; R = R_s + R_t RoIs, those of the
source first; D channels of the vector that the box predictor reads.
"""

import torch
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox2roi
from mmdet.utils import InstanceList
from torch import Tensor, nn


def without_bfloat16(extractor: nn.Module, args: tuple) -> tuple:
    """Turns bfloat16 maps into float32, as a forward pre-hook.

    mmcv's RoIAlign has no bfloat16. RoIAlign would also convert RoIs to the
    precision of the maps, and bfloat16 would round them to whole pixels.

    Args:
        extractor (nn.Module): A RoI extractor.
        args (tuple): Arguments of the extractor: L maps of (N, C, H_l, W_l),
            then RoIs.

    Returns:
        tuple: The arguments, with bfloat16 maps as float32.
    """
    feats, *others = args
    return (
        tuple(x.float() if x.dtype == torch.bfloat16 else x for x in feats),
        *others,
    )


@MODELS.register_module()
class DARoIHead(StandardRoIHead):
    """StandardRoIHead that also returns the feature vector of each RoI.

    The box classifier and the regressor read this vector: the average-pooled
    res5 features of a C4 head, or the last hidden layer of a head with shared
    fully connected layers. If autocast makes features bfloat16, RoIs are
    pooled in float32.

    Raises:
        ValueError: If classification and regression have separate layers, and
            so separate vectors.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        own_branches = ('cls_convs', 'cls_fcs', 'reg_convs', 'reg_fcs')
        if any(len(getattr(self.bbox_head, b, ())) for b in own_branches):
            raise ValueError(
                'DARoIHead: bbox_head has separate layers for classification '
                'and regression, so there is no one feature vector for the '
                'instance domain head; use BBoxHead, Shared2FCBBoxHead or '
                'Shared4Conv1FCBBoxHead'
            )
        for name in ('bbox_roi_extractor', 'mask_roi_extractor'):
            if hasattr(self, name):
                getattr(self, name).register_forward_pre_hook(without_bfloat16)

    def _bbox_forward(self, x: tuple[Tensor], rois: Tensor) -> dict:
        """Computes scores, deltas and vectors of RoIs.

        The method of StandardRoIHead does not return the vectors.

        Returns:
            dict[str, Tensor]: ``cls_score`` (R, classes + 1), ``bbox_pred``
            (R, 4 * classes), ``bbox_feats`` (R, C, h, w), ``roi_vectors``
            (R, D).
        """
        feats = self.bbox_roi_extractor(
            x[: self.bbox_roi_extractor.num_inputs], rois
        )
        if self.with_shared_head:
            feats = self.shared_head(feats)
        head, vectors = self.bbox_head, feats
        for conv in getattr(head, 'shared_convs', ()):
            vectors = conv(vectors)
        if head.with_avg_pool:
            vectors = head.avg_pool(vectors)
        vectors = vectors.flatten(1)
        for fc in getattr(head, 'shared_fcs', ()):
            vectors = head.relu(fc(vectors))
        return dict(
            cls_score=head.fc_cls(vectors),
            bbox_pred=head.fc_reg(vectors),
            bbox_feats=feats,
            roi_vectors=vectors,
        )

    def _sample_source(
        self, proposals: InstanceList, samples: SampleList
    ) -> list:
        """Assigns and samples source proposals, as StandardRoIHead does."""
        gt_instances, gt_ignore, _ = unpack_gt_instances(samples)
        results = []
        for props, gt, ignore in zip(proposals, gt_instances, gt_ignore):
            props.priors = props.pop('bboxes')
            assigned = self.bbox_assigner.assign(props, gt, ignore)
            results.append(self.bbox_sampler.sample(assigned, props, gt))
        return results

    def _sample_target(self, proposals: InstanceList) -> list[Tensor]:
        """Draws random target proposals, as many as a source image's RoIs."""
        num = self.bbox_sampler.num
        return [
            p.bboxes[torch.randperm(len(p), device=p.bboxes.device)[:num]]
            for p in proposals
        ]

    def loss_both_domains(
        self,
        x: tuple[Tensor],
        proposals: InstanceList,
        source_samples: SampleList,
    ) -> tuple:
        """Computes source detection losses and RoI vectors of both domains.

        Args:
            x (tuple[Tensor]): L maps of shape (N, C, H_l, W_l).
            proposals (list[InstanceData]): Proposals of the N images, with
                ``bboxes``. In proposals of the source, ``bboxes`` is renamed
                to ``priors``.
            source_samples (list[DetDataSample]): S samples with
                ``gt_instances``. Target samples are not passed, so that their
                labels can reach no loss.

        Returns:
            tuple:

            - dict[str, Tensor]: Detection losses.
            - Tensor: RoI vectors, (R, D).
            - Tensor: Image index of each RoI, long, (R,).
        """
        num_source = len(source_samples)
        sampled = self._sample_source(proposals[:num_source], source_samples)
        source_rois = bbox2roi([res.priors for res in sampled])
        # bbox2roi numbers images from 0; empty entries keep the numbering.
        target_rois = bbox2roi(
            [source_rois.new_zeros(0, 4)] * num_source
            + self._sample_target(proposals[num_source:])
        )
        rois = torch.cat([source_rois, target_rois])
        out = self._bbox_forward(x, rois)

        num_rois = len(source_rois)
        losses = dict()
        losses.update(
            self.bbox_head.loss_and_target(
                cls_score=out['cls_score'][:num_rois],
                bbox_pred=out['bbox_pred'][:num_rois],
                rois=source_rois,
                sampling_results=sampled,
                rcnn_train_cfg=self.train_cfg,
            )['loss_bbox']
        )
        if self.with_mask:
            losses.update(
                self.mask_loss(
                    x,
                    sampled,
                    out['bbox_feats'][:num_rois],
                    [s.gt_instances for s in source_samples],
                )['loss_mask']
            )
        return losses, out['roi_vectors'], rois[:, 0].long()
