"""Soft labels: the student follows the distributions of the teacher."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from mmdet.models.dense_heads import RPNHead
from mmdet.models.detectors import TwoStageDetector
from mmdet.models.roi_heads import PISARoIHead, StandardRoIHead
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox2roi
from mmdet.utils import reduce_mean
from torch import Tensor, nn
from torch.nn import functional as F


class RPNOutputs(NamedTuple):
    """Inputs and outputs of an RPN head in one pass.

    Attributes:
        features: L feature maps of (N, C, H_l, W_l).
        scores: Logits of the objectness, L maps of (N, A, H_l, W_l).
        deltas: Box deltas, L maps of (N, 4A, H_l, W_l).
    """

    features: tuple[Tensor]
    scores: list[Tensor]
    deltas: list[Tensor]


@contextmanager
def record_rpn(detector: nn.Module) -> Iterator[list[RPNOutputs]]:
    """Keeps what the RPN of a detector computes, so that it runs once.

    Args:
        detector (nn.Module): A two-stage detector.

    Yields:
        list[RPNOutputs]: One for each pass so far.
    """
    passes = []

    def keep(head: nn.Module, args: tuple, outputs: tuple) -> None:
        passes.append(RPNOutputs(args[0], *outputs))

    handle = detector.rpn_head.register_forward_hook(keep)
    try:
        yield passes
    finally:
        handle.remove()


@MODELS.register_module()
class TwoStageDistillation(nn.Module):
    """Distils two-stage detectors as ALDI++ (Kay et al., 2024) does.

    Pseudo-labels only decide which anchors and RoIs are sampled. There the
    student's objectness, class distribution and box deltas follow the
    teacher's, at temperature 1.

    Args:
        loss_weight (float): Weight of all four losses.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    @staticmethod
    def check(detector: nn.Module) -> None:
        """Checks that a detector has the parts to distil.

        Args:
            detector (nn.Module): Any detector of MMDetection.

        Raises:
            ValueError: If the detector has no RPNHead with a StandardRoIHead
                and softmax classes behind it.
        """
        head = getattr(detector, 'roi_head', None)
        if not (
            isinstance(detector, TwoStageDetector)
            and type(getattr(detector, 'rpn_head', None)) is RPNHead
            and detector.rpn_head.cls_out_channels == 1
            and isinstance(head, StandardRoIHead)
            and not isinstance(head, PISARoIHead)
            and getattr(head.bbox_head, 'with_reg', False)
            and not getattr(head.bbox_head.loss_cls, 'use_sigmoid', False)
        ):
            raise ValueError(
                f'TwoStageDistillation: {type(detector).__name__} has no '
                'RPNHead with a StandardRoIHead and softmax classes behind '
                'it; leave distillation out to train on hard pseudo-labels'
            )

    def forward(
        self,
        student: nn.Module,
        teacher: nn.Module,
        strong: Tensor,
        outputs: RPNOutputs,
        samples: SampleList,
    ) -> dict[str, Tensor]:
        """Computes the student's losses against the teacher's outputs.

        Args:
            student (nn.Module): The detector that learns.
            teacher (nn.Module): The same detector, with other weights.
            strong (Tensor): The student's images, (N, 3, H, W).
            outputs (RPNOutputs): The teacher's, for N images of the same
                geometry.
            samples (list[DetDataSample]): N samples with the pseudo-labels.

        Returns:
            dict[str, Tensor]: ``loss_rpn_cls``, ``loss_rpn_bbox``,
            ``loss_cls``, ``loss_bbox``.
        """
        x = student.extract_feat(strong)
        scores, deltas = student.rpn_head(x)
        losses = self.rpn_loss(
            student.rpn_head, scores, deltas, outputs.scores, outputs.deltas,
            samples,
        )  # fmt: skip
        proposals = student.rpn_head.predict_by_feat(
            [s.detach() for s in scores],
            [d.detach() for d in deltas],
            batch_img_metas=[s.metainfo for s in samples],
            cfg=student.train_cfg.get('rpn_proposal', student.test_cfg.rpn),
        )
        rois = self.sample_rois(student.roi_head, proposals, samples)
        ours = student.roi_head._bbox_forward(x, rois)
        with torch.no_grad():
            theirs = teacher.roi_head._bbox_forward(outputs.features, rois)
        losses.update(self.roi_loss(ours, theirs))
        return {k: self.loss_weight * v for k, v in losses.items()}

    @staticmethod
    def rpn_loss(
        head: nn.Module,
        scores: list[Tensor],
        deltas: list[Tensor],
        their_scores: list[Tensor],
        their_deltas: list[Tensor],
        samples: SampleList,
    ) -> dict[str, Tensor]:
        """Compares objectness at sampled anchors, deltas at positive ones.

        Args:
            head (nn.Module): The student's RPN head.
            scores (list[Tensor]): The student's logits, L maps of
                (N, A, H_l, W_l).
            deltas (list[Tensor]): The student's deltas, L maps of
                (N, 4A, H_l, W_l).
            their_scores (list[Tensor]): The teacher's logits, likewise.
            their_deltas (list[Tensor]): The teacher's deltas, likewise.
            samples (list[DetDataSample]): N samples with pseudo-labels.

        Returns:
            dict[str, Tensor]: ``loss_rpn_cls`` and ``loss_rpn_bbox``.
        """
        metas = [s.metainfo for s in samples]
        anchors, valid = head.get_anchors(
            [s.shape[-2:] for s in scores], metas, device=scores[0].device
        )
        objects = []
        for sample in samples:
            found = sample.gt_instances[:]
            found.labels = torch.zeros_like(found.labels)
            objects.append(found)
        _, label_weights, _, box_weights, *_ = head.get_targets(
            anchors, valid, objects, metas
        )
        sampled = torch.cat(label_weights, dim=1).flatten() > 0
        positive = torch.cat(box_weights, dim=1).flatten(0, 1)[:, 0] > 0

        def flat(maps: list[Tensor], size: int) -> Tensor:
            """Flattens maps to (N * anchors, size), as targets are ordered."""
            return torch.cat(
                [
                    x.permute(0, 2, 3, 1).reshape(len(x), -1, size)
                    for x in maps
                ],
                dim=1,
            ).flatten(0, 1)

        ours, theirs = (flat(x, 1)[sampled, 0] for x in (scores, their_scores))
        moves, their_moves = (
            flat(x, 4)[positive] for x in (deltas, their_deltas)
        )
        # Processes have unequal numbers of labels. Divided by the mean number,
        # their losses average to those of one process with all images.
        count = reduce_mean(moves.new_tensor(moves.numel()))
        return dict(
            loss_rpn_cls=F.binary_cross_entropy_with_logits(
                ours, theirs.sigmoid(), reduction='sum'
            )
            / max(len(ours), 1),
            loss_rpn_bbox=(moves - their_moves).abs().sum()
            / count.clamp(min=1),
        )

    @staticmethod
    def sample_rois(
        head: nn.Module, proposals: list, samples: SampleList
    ) -> Tensor:
        """Samples RoIs of the student as in training.

        Args:
            head (nn.Module): The student's RoI head.
            proposals (list[InstanceData]): Proposals of N images. They lose
                ``bboxes`` for ``priors``.
            samples (list[DetDataSample]): N samples with pseudo-labels.

        Returns:
            Tensor: (R, 5), the index of an image first.
        """
        priors = []
        for found, sample in zip(proposals, samples):
            found.priors = found.pop('bboxes')
            labels = sample.gt_instances
            assigned = head.bbox_assigner.assign(found, labels, None)
            priors.append(
                head.bbox_sampler.sample(assigned, found, labels).priors
            )
        return bbox2roi(priors)

    @staticmethod
    def roi_loss(ours: dict, theirs: dict) -> dict[str, Tensor]:
        """Compares classes of all RoIs, deltas where the teacher sees objects.

        Args:
            ours (dict[str, Tensor]): The student's ``cls_score`` (R, C + 1),
                background last, and ``bbox_pred`` (R, 4) or (R, 4C).
            theirs (dict[str, Tensor]): The teacher's, likewise.

        Returns:
            dict[str, Tensor]: ``loss_cls`` and ``loss_bbox``.
        """
        logits, wanted = ours['cls_score'], theirs['cls_score'].softmax(dim=1)
        rois, classes = len(logits), logits.shape[1] - 1
        best = wanted.argmax(dim=1)
        objects = best < classes
        index = torch.arange(rois, device=best.device)[objects]
        moves, their_moves = (
            x['bbox_pred'].unflatten(1, (-1, 4)) for x in (ours, theirs)
        )
        shared = moves.shape[1] == 1  # one box for all classes
        label = torch.zeros_like(best[objects]) if shared else best[objects]
        return dict(
            loss_cls=-(wanted * logits.log_softmax(dim=1)).sum()
            / max(rois, 1),
            loss_bbox=(moves - their_moves)[index, label].abs().sum()
            / max(rois, 1),
        )
