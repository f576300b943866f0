"""Stands in for a teacher that was never trained, and counts the work."""

import copy
from collections import Counter

import torch
from mmdet.registry import HOOKS
from mmdet.structures import SampleList
from mmdet.utils import InstanceList
from mmengine.config import Config
from mmengine.structures import InstanceData
from torch import nn

from da_faster.errors import UserError

HOOK = 'SelfTrainingHook'


def learner(model: nn.Module) -> nn.Module:
    """Returns the detector that learns: the model, or the student."""
    return getattr(model, 'student', model)


def detectors(model: nn.Module) -> list[nn.Module]:
    """Returns student and teacher of a MeanTeacher, or the model alone."""
    return [model.student, model.teacher] if has_teacher(model) else [model]


def has_teacher(model: nn.Module) -> bool:
    """Whether a model is a MeanTeacher."""
    return hasattr(model, 'pseudo_labels')


def update_hook(cfg: Config):
    """Builds the config's hook that moves the teacher.

    Args:
        cfg (Config): The config of a training with a MeanTeacher.
    """
    known = dict(type=HOOK)
    for hook in cfg.get('custom_hooks') or []:
        if hook['type'] == HOOK:
            known = hook
    return HOOKS.build(dict(known, burn_in=0))


def label_target(source: SampleList, target: SampleList) -> SampleList:
    """Labels target images with the boxes of source images, clipped.

    Args:
        source (list[DetDataSample]): S labelled images.
        target (list[DetDataSample]): N images, which are not changed.

    Returns:
        list[DetDataSample]: The N images with labels.
    """
    labelled = copy.deepcopy(target)
    for i, sample in enumerate(labelled):
        like = copy.deepcopy(source[i % len(source)])
        sample.gt_instances = like.gt_instances
        sample.ignored_instances = like.ignored_instances
        sample.gt_instances.bboxes.clip_(sample.img_shape)
        if 'masks' in sample.gt_instances:
            sample.gt_instances.masks = sample.gt_instances.masks.resize(
                sample.img_shape
            )
    return labelled


class StandIn:
    """Gives a MeanTeacher the boxes of the source in place of pseudo-labels.

    A teacher that was never trained finds nothing, or a hundred wrong boxes.
    So the teacher predicts and PseudoLabels selects as usual, but the result
    is only counted. The student learns the boxes of the source images, as the
    stock detector does on the same images. Where the config ignores uncertain
    boxes, each label gets such a box as well: a teacher often detects an
    object twice.

    Args:
        model (MeanTeacher): The model. From now on it trains on the target,
            without a comparison of teacher and student.

    Attributes:
        found (int): The teacher's detections in the latest batch.
        labels (int): The student's labels in the latest batch.
    """

    def __init__(self, model: nn.Module) -> None:
        model.self_training = True
        model.agreement_interval = 0
        self.pseudo_labels = model.pseudo_labels
        self.select = model.pseudo_labels.select
        model.pseudo_labels.select = self
        self.samples: SampleList = []
        self.found = self.labels = 0

    def show(self, samples: dict[str, SampleList]) -> None:
        """Takes the labels of the next batch from its source images.

        Raises:
            UserError: If the batch has no source images.
        """
        if 'source' not in samples:
            raise UserError(
                'Without a source nothing can stand for the labels of an '
                'untrained teacher: take a config with a source.'
            )
        self.samples = label_target(samples['source'], samples['target'])

    def __call__(
        self, detections: InstanceList
    ) -> list[tuple[InstanceData, InstanceData]]:
        self.select(detections)
        self.found = sum(map(len, detections))
        parts = []
        for found, sample in zip(detections, self.samples):
            boxes = sample.gt_instances.bboxes
            boxes = getattr(boxes, 'tensor', boxes).to(found.bboxes)
            kept = InstanceData(
                bboxes=boxes,
                labels=sample.gt_instances.labels.to(found.labels),
                scores=torch.ones_like(boxes[:, 0]),
            )
            uncertain = self.pseudo_labels.ignore_above is not None
            parts.append((kept, kept if uncertain else kept[:0]))
        self.labels = sum(len(kept) for kept, _ in parts)
        return parts


class Work:
    """Counts what the detector that learns works on.

    With untrained weights proposals can collapse to a few boxes, which makes a
    step fast.

    Args:
        model (nn.Module): A detector, or a MeanTeacher, which gets a StandIn.
    """

    def __init__(self, model: nn.Module) -> None:
        self.counts: Counter = Counter()
        self.stand_in = StandIn(model) if has_teacher(model) else None
        detector = learner(model)
        if not hasattr(detector, 'rpn_head'):
            return
        predict = detector.rpn_head.predict_by_feat

        def counted(*args, **kwargs):
            found = predict(*args, **kwargs)
            self.counts['proposals'] += sum(map(len, found))
            return found

        detector.rpn_head.predict_by_feat = counted
        extractors = detector.roi_head.bbox_roi_extractor
        if not isinstance(extractors, nn.ModuleList):
            extractors = [extractors]
        for extractor in extractors:
            extractor.register_forward_hook(self._count_rois)

    def take(self) -> dict[str, int]:
        """Returns the counts since the last call.

        Returns:
            dict[str, int]: ``proposals`` and ``RoIs`` of all passes of the
            detector that learns, if it has any. For a MeanTeacher also
            ``labels`` of the target, and ``found``, the detections of the
            teacher.
        """
        counts = dict(self.counts)
        self.counts.clear()
        if self.stand_in:
            counts['labels'] = self.stand_in.labels
            counts['found'] = self.stand_in.found
        return counts

    def _count_rois(self, extractor, args, feats) -> None:
        self.counts['RoIs'] += len(feats)
