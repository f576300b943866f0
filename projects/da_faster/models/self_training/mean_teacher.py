"""A student learns the target from its own average, the teacher."""

import copy
from contextlib import nullcontext

import torch
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.models.detectors import BaseDetector, SemiBaseDetector
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.utils import InstanceList
from mmengine.dist import all_reduce
from mmengine.logging import print_log
from mmengine.structures import InstanceData
from torch import Tensor, nn

from da_faster.config_tree import box_head
from da_faster.matching import agreement

from .distillation import recorded
from .ignored_boxes import find_assigners, ignoring, without_ignored
from .low_scores import shown_from
from .views import as_they_are, label, movement

# Losses of where a box or mask is, as MMDetection's heads name them.
PLACE = (
    'bbox', 'iou', 'centerness', 'mask', 'dfl', '_l1', '_xy', '_wh', '_pts',
    '_grid', '_point', '_reg', '_offset', '_shape',
)  # fmt: skip


def count_classes(detector: nn.Module) -> int:
    """The number of classes of a detector's box head.

    Raises:
        ValueError: If it has none.
    """
    head = box_head(detector)
    if head is None:
        raise ValueError(
            f'MeanTeacher: {type(detector).__name__} has no bbox_head, so '
            'there are no boxes to make labels of'
        )
    return head.num_classes


def domain_preprocessor(config: dict | None) -> dict:
    """Turns a detector's data preprocessor into one for several domains.

    Args:
        config (dict, optional): Config of the detector's data preprocessor.

    Returns:
        dict: Config of a DomainDataPreprocessor.

    Raises:
        ValueError: If the data preprocessor is of another kind.
    """
    kind = (config or {}).get('type')
    cls = MODELS.get(kind) if isinstance(kind, str) else kind
    if cls is DetDataPreprocessor:
        return dict(config, type='DomainDataPreprocessor')
    several = MODELS.get('DomainDataPreprocessor')
    if not (isinstance(cls, type) and issubclass(cls, several)):
        raise ValueError(
            'MeanTeacher: data_preprocessor of the detector must be a '
            f'DetDataPreprocessor, got {kind!r}'
        )
    return config


@MODELS.register_module()
class MeanTeacher(SemiBaseDetector):
    """Any MMDetection detector as a student and its moving average.

    Mean teacher (Tarvainen and Valpola, NeurIPS 2017) with pseudo-labels as in
    Unbiased Teacher (Liu et al., ICLR 2021) or, with ``distillation``, soft
    labels as in ALDI++ (Kay et al., 2024). The source is learned as ever. On
    the target the teacher looks at the weak view of an image and the student
    learns what it found on the strong view.

    It needs a ``SelfTrainingHook``, which moves the teacher and begins
    self-training after the burn-in. Until then the student learns as its
    detector does: a ``DAFasterRCNN`` with its domain classifiers.

    The target's pipeline ends with MMDetection's ``MultiBranch``, of the
    branches ``target``, the strong view, and ``target_weak``. What comes
    before it is shared: one decoded image, one geometry. Views of two
    geometries have to carry ``homography_matrix`` among their ``meta_keys``.

    Target images have no other boxes than the teacher's.

    A batch without a source trains on the target alone (source-free).

    Args:
        detector (dict): Config of the detector, as it trains alone. Its
            DetDataPreprocessor becomes a DomainDataPreprocessor.
        pseudo_labels (dict, optional): Config of PseudoLabels.
        distillation (dict, optional): TwoStageDistillation, in place of the
            detector's losses on the pseudo-labels.
        block_masking (dict, optional): Config of BlockMasking: what the
            student does not see of the images that it learns the teacher's
            labels on. Domain classifiers see all of them.
        target_weight (float): Of the target's detection losses.
        box_losses (bool): Whether the student learns where the pseudo-labels
            are, or only that they are.
        empty_images (bool): Whether the student learns from an image without
            any pseudo-label, which teaches that all of it is background.
        weight_by_score (bool): Weigh the target's losses with the mean score
            of the pseudo-labels, as MIC (Hoyer et al., CVPR 2023) does.
        align (str): When the domain classifiers of the detector train:
            ``'burn-in'`` or ``'always'``. After the burn-in ``'always'`` takes
            a second forward pass of the target, for the classifiers.
        agreement_interval (int): Iterations between two comparisons of what
            teacher and student detect; 0 for none.
        predict_on (str): ``'teacher'`` or ``'student'``: the weights to
            validate and test.
        keep_source_model (bool): Whether to keep a copy of the weights that
            the training started with, for
            ``SelfTrainingHook(restore_rate=...)``.
        data_preprocessor (dict, optional): The config's top-level one, which
            Runner hands over. It counts if the detector has none of its own.

    Raises:
        ValueError: If an argument is out of its range, or if the detector has
            no box head or no DetDataPreprocessor.
    """

    def __init__(
        self,
        detector: dict,
        pseudo_labels: dict | None = None,
        distillation: dict | None = None,
        block_masking: dict | None = None,
        target_weight: float = 1.0,
        box_losses: bool = True,
        empty_images: bool = True,
        weight_by_score: bool = False,
        align: str = 'burn-in',
        agreement_interval: int = 50,
        predict_on: str = 'teacher',
        keep_source_model: bool = False,
        data_preprocessor: dict | None = None,
    ) -> None:
        detector = copy.deepcopy(detector)
        preprocessor = detector.pop('data_preprocessor', data_preprocessor)
        # SemiBaseDetector.__init__ would draw random numbers for a teacher.
        BaseDetector.__init__(
            self, data_preprocessor=domain_preprocessor(preprocessor)
        )
        choices = dict(
            align=(align, ('burn-in', 'always')),
            predict_on=(predict_on, ('teacher', 'student')),
        )
        for name, (value, allowed) in choices.items():
            if value not in allowed:
                raise ValueError(
                    f'MeanTeacher: {name} must be one of {allowed}, '
                    f'got {value!r}'
                )
        if target_weight < 0:
            raise ValueError(
                'MeanTeacher: target_weight must not be negative, got '
                f'{target_weight!r}'
            )
        self.student = MODELS.build(detector)
        self.teacher = copy.deepcopy(self.student)
        self.freeze(self.teacher)
        self.source_model = (
            copy.deepcopy(self.teacher) if keep_source_model else None
        )
        self.pseudo_labels = MODELS.build(
            dict(
                dict(type='PseudoLabels'),
                **(pseudo_labels or {}),
                num_classes=count_classes(self.student),
            )
        )
        self.distillation = distillation and MODELS.build(distillation)
        if self.distillation:
            self.distillation.check(self.student)
        self.block_masking = None
        if block_masking is not None:
            self.block_masking = MODELS.build(
                dict(dict(type='BlockMasking'), **block_masking)
            )
        self.target_weight = target_weight
        self.box_losses = box_losses
        self.empty_images = empty_images
        self.weight_by_score = weight_by_score
        self.align = align
        self.agreement_interval = agreement_interval
        self.semi_test_cfg = dict(
            predict_on=predict_on,
            forward_on=predict_on,
            extract_feat_on=predict_on,
        )
        self.assigners = find_assigners(self.student)
        if self.pseudo_labels.ignore_above and not (
            self.assigners or self.distillation
        ):
            print_log(
                f'{type(self.student).__name__} cannot ignore boxes: what the '
                'teacher is not sure of is covered.',
                'current',
            )
        # SelfTrainingHook sets them.
        self.iteration = 0
        self.self_training: bool | None = None

    def init_weights(self) -> None:
        """Draws the student's weights; the teacher starts with the same."""
        self.student.init_weights()
        self.teacher.load_state_dict(self.student.state_dict())
        self._is_init = True

    def _load_from_state_dict(
        self, state_dict: dict, prefix: str, *args
    ) -> None:
        """Of a detector without a teacher both parts get the weights.

        So does what is kept of the start; the counts of labels stay as they
        are. Nothing is missing.
        """
        plain = not any('student' in k or 'teacher' in k for k in state_dict)
        super()._load_from_state_dict(state_dict, prefix, *args)
        if not plain:
            return
        if self.source_model is not None:
            for name in self.source_model.state_dict():
                if f'teacher.{name}' in state_dict:
                    state_dict[f'source_model.{name}'] = state_dict[
                        f'teacher.{name}'
                    ]
        for name, count in self.pseudo_labels.state_dict().items():
            state_dict[f'pseudo_labels.{name}'] = count

    def train(self, mode: bool = True) -> 'MeanTeacher':
        """The teacher never trains."""
        super().train(mode)
        for part in filter(None, (self.teacher, self.source_model)):
            part.eval()
        return self

    def loss(
        self,
        batch_inputs: Tensor | dict,
        batch_data_samples: SampleList | dict,
    ) -> dict:
        """Losses of a plain batch, or of one of views.

        Args:
            batch_inputs (Tensor or dict[str, Tensor]): (N, 3, H, W), or such
                a tensor for each of ``source``, if there is one, ``target``
                (the strong view) and ``target_weak``.
            batch_data_samples (list or dict[str, list]): DetDataSamples; of
                the target's only the metainfo is read.

        Returns:
            dict[str, Tensor]: Losses, those on pseudo-labels named
            ``target_*``; and what there is to watch, whose names have no
            "loss" in them.

        Raises:
            ValueError: If the target has no two views, or views of two
                geometries that do not say so, or if nothing moves the
                teacher.
        """
        if not isinstance(batch_inputs, dict):
            return self.student.loss(batch_inputs, batch_data_samples)
        self._check(batch_data_samples)
        seen = batch_inputs['target']
        if self.self_training and self.block_masking is not None:
            seen = self.block_masking(seen)
        with_source = 'source' in batch_inputs
        if with_source:
            self.pseudo_labels.count_source(
                [x.gt_instances.labels for x in batch_data_samples['source']]
            )

        losses = {}
        if with_source:
            losses.update(self.source_loss(batch_inputs, batch_data_samples))
        if self.self_training:
            losses.update(
                self.target_loss(
                    seen,
                    batch_data_samples['target'],
                    batch_inputs['target_weak'],
                    batch_data_samples['target_weak'],
                )
            )
        return losses

    def source_loss(
        self, inputs: dict[str, Tensor], samples: dict[str, SampleList]
    ) -> dict:
        """The detector's own losses, with its domain classifiers or without.

        Args:
            inputs (dict[str, Tensor]): As of ``loss``.
            samples (dict[str, list]): DetDataSamples.
        """
        source = samples['source']
        if not self._aligns():
            return self.student.loss(inputs['source'], source)
        domains = ('source', 'target')
        return self.student.loss(
            {d: inputs[d] for d in domains}, {d: samples[d] for d in domains}
        )

    def _check(self, samples: dict[str, SampleList]) -> None:
        """Raises a ValueError at once for what self-training will need."""
        if self.self_training is None:
            raise ValueError(
                'MeanTeacher: nothing moves the teacher; put '
                "dict(type='SelfTrainingHook', burn_in=...) in custom_hooks, "
                'in the place of EMAHook'
            )
        if not {'target', 'target_weak'} <= samples.keys():
            raise ValueError(
                'MeanTeacher: the target has not two views; end the '
                "target's pipeline with dict(type='MultiBranch', "
                "branch_field=['target', 'target_weak'], ...)"
            )
        if 'source' not in samples and not self.self_training:
            raise ValueError(
                'MeanTeacher: without a source there is nothing to learn in '
                'a burn-in; set burn_in=0'
            )
        if not self.self_training:  # else the labels' way shows it
            for strong, weak in zip(samples['target'], samples['target_weak']):
                movement(strong, weak)

    def _aligns(self) -> bool:
        """Whether the student has domain classifiers that train now."""
        has_any = any(
            getattr(self.student, name, None)
            for name in ('domain_neck', 'instance_domain_head')
        )
        return has_any and (self.align == 'always' or not self.self_training)

    def target_loss(
        self,
        strong: Tensor,
        strong_samples: SampleList,
        weak: Tensor,
        weak_samples: SampleList,
    ) -> dict:
        """Losses on what the teacher finds.

        Args:
            strong (Tensor): What the student sees, (N, 3, H, W).
            strong_samples (list[DetDataSample]): N.
            weak (Tensor): What the teacher sees, (N, 3, H, W).
            weak_samples (list[DetDataSample]): N.

        Returns:
            dict[str, Tensor]: As of ``loss``.
        """
        watched = recorded if self.distillation else nullcontext
        shown = shown_from(self.teacher, self.pseudo_labels.lowest_score)
        with torch.no_grad(), shown, watched(self.teacher) as passes:
            detections = [
                sample.pred_instances
                for sample in self.teacher.predict(
                    weak, as_they_are(weak_samples), rescale=False
                )
            ]
        parts = self.pseudo_labels.select(detections)
        kept = [labels for labels, _ in parts]
        samples = label(strong_samples, weak_samples, parts)
        weight = self.target_weight
        if self.weight_by_score:
            weight = weight * mean_score(kept)
        if self.distillation:
            losses = self.distillation(
                self.student, self.teacher, strong, passes[0], samples
            )
        else:
            # Images that are left out are replaced by others of the batch.
            # The forward is needed anyway: other processes may wait for it.
            used = [i for i, found in enumerate(parts) if self._teach(*found)]
            if len(used) < len(parts):
                weight = weight if used else 0.0
                used = used or range(len(samples))
                used = [used[i % len(used)] for i in range(len(samples))]
                strong = strong[used]
                samples = [copy.copy(samples[i]) for i in used]
            if not self.assigners:
                strong = without_ignored(strong, samples)
            with ignoring(self.assigners):
                losses = self.student.loss(strong, samples)
        losses = {
            f'target_{name}': self._weigh(name, value, weight)
            for name, value in losses.items()
        }
        return {**losses, **self.watch(kept, weak, weak_samples)}

    def _teach(self, labels: InstanceData, unsure: InstanceData) -> bool:
        """Whether the student learns from an image."""
        if len(labels):
            return True
        # A detector that ignores no box would learn that it is background.
        return self.empty_images and bool(self.assigners or not len(unsure))

    def _weigh(
        self, name: str, value: Tensor | list, weight: Tensor | float
    ) -> Tensor | list:
        if 'loss' not in name:
            return value
        if not self.box_losses and any(part in name for part in PLACE):
            weight = 0.0
        if isinstance(value, (list, tuple)):
            return [weight * item for item in value]
        return weight * value

    @torch.no_grad()
    def watch(
        self, kept: InstanceList, weak: Tensor, weak_samples: SampleList
    ) -> dict[str, Tensor]:
        """What tells a collapse of the pseudo-labels.

        Args:
            kept (list[InstanceData]): Of each image, the teacher's boxes.
            weak (Tensor): The images, (N, 3, H, W).
            weak_samples (list[DetDataSample]): Theirs.

        Returns:
            dict[str, Tensor]: Averaged over the statistics window:
            ``pseudo_boxes`` an image, their mean ``pseudo_score`` (0 if there
            is none), ``pseudo_empty``, the share of images without any, and
            ``pseudo_confidence`` (``PseudoLabels.confidence``). Now and then
            ``pseudo_agreement``: of what teacher and student detect in this
            batch, the share that they agree on.
        """
        labels = self.pseudo_labels
        boxes = labels.kept.sum()
        watched = dict(
            pseudo_boxes=boxes,
            pseudo_score=labels.all_scores / boxes.clamp(min=1e-6),
            pseudo_empty=labels.empty.clone(),
            pseudo_confidence=labels.confidence,
        )
        if (
            self.agreement_interval
            and self.iteration % self.agreement_interval == 0
        ):
            training = self.student.training
            self.student.eval()
            theirs = self.student.predict(
                weak, as_they_are(weak_samples), rescale=False
            )
            self.student.train(training)
            pairs = zip(kept, (s.pred_instances for s in theirs))
            sure = self.pseudo_labels.thresholds
            shares = [
                agreement(ours, found[found.scores >= sure[found.labels]])
                for ours, found in pairs
            ]
            watched['pseudo_agreement'] = weak.new_tensor(shares).mean()
        return watched


def mean_score(kept: InstanceList) -> Tensor:
    """The mean score of the labels of all processes; 0 if there is none."""
    scores = torch.cat([labels.scores for labels in kept]).float()
    total = torch.stack([scores.sum(), scores.new_tensor(len(scores))])
    all_reduce(total)
    return total[0] / total[1].clamp(min=1)
