"""What a teacher's step works on, with weights that were never trained."""

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
    """Gives the detector that learns: the model, or its student."""
    return getattr(model, 'student', model)


def detectors(model: nn.Module) -> list[nn.Module]:
    """Gives a MeanTeacher's student and teacher, or the model alone."""
    return [model.student, model.teacher] if has_teacher(model) else [model]


def has_teacher(model: nn.Module) -> bool:
    """Says whether a model is a MeanTeacher."""
    return hasattr(model, 'pseudo_labels')


def update_hook(cfg: Config):
    """Builds the config's hook that moves the teacher.

    Args:
        cfg (Config): Of a training with a MeanTeacher.
    """
    known = dict(type=HOOK)
    for hook in cfg.get('custom_hooks') or []:
        if hook['type'] == HOOK:
            known = hook
    return HOOKS.build(dict(known, burn_in=0))


def label_target(source: SampleList, target: SampleList) -> SampleList:
    """Gives images of the target the boxes of the source's, cut to the image.

    Args:
        source (list[DetDataSample]): S, labelled.
        target (list[DetDataSample]): N. They stay as they are.

    Returns:
        list[DetDataSample]: N, labelled.
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
    """Gives a MeanTeacher the source's boxes in place of its teacher's.

    A teacher that was never trained finds nothing, or a hundred boxes that are
    none. So the teacher predicts and PseudoLabels selects as ever, but what
    they found is only counted. The student learns the boxes of the source's
    images, as the stock detector does on the same images. Where the config
    ignores unsure boxes, there is such a one on each label: often a teacher
    sees an object twice.

    Args:
        model (MeanTeacher): Trains on its target from now on, without a
            comparison of teacher and student.

    Attributes:
        found (int): What the teacher detected in the latest batch.
        labels (int): What the student got for it.
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
        """Takes the labels for the next batch from its source images.

        Raises:
            UserError: If there are none.
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
            unsure = self.pseudo_labels.ignore_above is not None
            parts.append((kept, kept if unsure else kept[:0]))
        self.labels = sum(len(kept) for kept, _ in parts)
        return parts


class Work:
    """Counts what a detector that learns works on; time alone does not tell.

    With untrained weights proposals can collapse to a few boxes, which makes a
    step cheap.

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
        """Gives what was counted since the last call.

        Returns:
            dict[str, int]: ``proposals`` and ``RoIs`` of all passes of the
            detector that learns, if it has any; of a MeanTeacher also
            ``labels``, those of the target, and ``found``, what the teacher
            detected.
        """
        counts = dict(self.counts)
        self.counts.clear()
        if self.stand_in:
            counts['labels'] = self.stand_in.labels
            counts['found'] = self.stand_in.found
        return counts

    def _count_rois(self, extractor, args, feats) -> None:
        self.counts['RoIs'] += len(feats)
