"""Mean teacher: a student learns the target from its moving average."""

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

from .distillation import RPNOutputs, record_rpn
from .localization_losses import is_localization_loss
from .score_threshold import score_thr_at_most
from .uncertain_boxes import cover_uncertain, spare_uncertain_boxes
from .views import homography, move_labels, without_flips


def count_classes(detector: nn.Module) -> int:
    """Counts the classes of a detector's box head.

    Args:
        detector (nn.Module): Any detector of MMDetection.

    Raises:
        ValueError: If the detector has no box head.
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
        ValueError: If the data preprocessor has another type.
    """
    given = (config or {}).get('type')
    cls = MODELS.get(given) if isinstance(given, str) else given
    if cls is DetDataPreprocessor:
        return dict(config, type='DomainDataPreprocessor')
    several = MODELS.get('DomainDataPreprocessor')
    if not (isinstance(cls, type) and issubclass(cls, several)):
        raise ValueError(
            'MeanTeacher: data_preprocessor of the detector must be a '
            f'DetDataPreprocessor, got {given!r}'
        )
    return config


@MODELS.register_module()
class MeanTeacher(SemiBaseDetector):
    """Trains any MMDetection detector with labels of its moving average.

    The detector is the student, its moving average the teacher: mean teacher
    (Tarvainen and Valpola, NeurIPS 2017), with pseudo-labels as in Unbiased
    Teacher (Liu et al., ICLR 2021) or, with ``distillation``, soft labels as
    in ALDI++ (Kay et al., 2024). On the source the student learns as its
    detector does. On the target the teacher detects in the weak view of an
    image, and the student learns these detections on the strong view. Target
    images have no other boxes.

    A ``SelfTrainingHook`` moves the teacher and begins self-training after
    the burn-in. In the burn-in the student learns as its detector does: a
    ``DAFasterRCNN`` with its domain classifiers.

    The target's pipeline ends with MMDetection's ``MultiBranch``, with the
    branches ``target``, the strong view, and ``target_weak``. Both views share
    the steps before it: one decoded image, one geometry. Views of two
    geometries need ``homography_matrix`` among their ``meta_keys``.

    A batch without a source trains on the target alone (source-free).

    Args:
        detector (dict): Config of the detector, as it trains alone. Its
            DetDataPreprocessor becomes a DomainDataPreprocessor.
        pseudo_labels (dict, optional): Config of PseudoLabels.
        distillation (dict, optional): Config of TwoStageDistillation, which
            takes the place of the detector's losses on the pseudo-labels.
        block_masking (dict, optional): Config of BlockMasking, for the images
            that the student learns pseudo-labels on. Domain classifiers see
            them unmasked.
        target_weight (float): Weight of the losses on pseudo-labels.
        box_losses (bool): Whether the student learns where the pseudo-labels
            are, or only that they are there.
        empty_images (bool): Whether the student learns from an image without
            any pseudo-label, which teaches that all of it is background.
        weight_by_score (bool): Whether to weight the losses on pseudo-labels
            with their mean score, as MIC (Hoyer et al., CVPR 2023) does.
        align (str): When the domain classifiers of the detector train:
            ``'burn-in'`` or ``'always'``. After the burn-in ``'always'`` takes
            a second forward pass of the target, for the classifiers.
        agreement_interval (int): Iterations between two comparisons of the
            detections of teacher and student; 0 for none.
        predict_on (str): ``'teacher'`` or ``'student'``: the weights to
            validate and test.
        keep_source_model (bool): Whether to keep a copy of the weights that
            the training starts with, for
            ``SelfTrainingHook(restore_rate=...)``.
        data_preprocessor (dict, optional): The config's top-level one, which
            Runner hands over. It counts if the detector has none of its own.

    Attributes:
        iteration (int): Iteration of the training, set by SelfTrainingHook.
        self_training (bool, optional): Whether the burn-in is over, set by
            SelfTrainingHook.

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
        self.ignores_boxes = spare_uncertain_boxes(self.student)
        if self.pseudo_labels.ignore_above and not (
            self.ignores_boxes or self.distillation
        ):
            print_log(
                f'{type(self.student).__name__} cannot ignore boxes: the '
                "teacher's uncertain boxes are covered.",
                'current',
            )
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
        """Loads a checkpoint, also one of a detector without a teacher.

        The weights of such a detector go to student, teacher and source model.
        The statistics of labels stay as they are, so none is missing.
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
        """Sets the mode of the student; the teacher never trains."""
        super().train(mode)
        for part in filter(None, (self.teacher, self.source_model)):
            part.eval()
        return self

    def loss(
        self,
        batch_inputs: Tensor | dict,
        batch_data_samples: SampleList | dict,
    ) -> dict:
        """Computes the losses of a plain batch, or of one with two views.

        Args:
            batch_inputs (Tensor or dict[str, Tensor]): (N, 3, H, W), or such
                a tensor for each of ``source``, if there is one, ``target``
                (the strong view) and ``target_weak``.
            batch_data_samples (list or dict[str, list]): DetDataSamples. Of
                the target's only the metainfo is read.

        Returns:
            dict[str, Tensor]: Losses, those on pseudo-labels named
            ``target_*``, and values for the log, whose names have no "loss"
            in them.

        Raises:
            ValueError: If the target has no two views, or views of two
                geometries without ``homography_matrix``, or if nothing moves
                the teacher.
        """
        if not isinstance(batch_inputs, dict):
            return self.student.loss(batch_inputs, batch_data_samples)
        inputs, samples = batch_inputs, batch_data_samples
        self._check(samples)
        losses = {}
        strong = inputs['target']
        if self.self_training and self.block_masking is not None:
            strong = self.block_masking(strong)
        if 'source' in inputs:
            losses.update(self.source_loss(inputs, samples))
        if self.self_training:
            weak, weak_samples = inputs['target_weak'], samples['target_weak']
            detections, outputs = self.detect(weak, weak_samples)
            selected = self.pseudo_labels.select(detections)
            labelled = move_labels(samples['target'], weak_samples, selected)
            losses.update(
                self.target_loss(strong, labelled, selected, outputs)
            )
            losses.update(self.pseudo_labels.statistics.summary())
            losses.update(self.compare(selected, weak, weak_samples))
        return losses

    def source_loss(
        self, inputs: dict[str, Tensor], samples: dict[str, SampleList]
    ) -> dict:
        """Computes the detector's own losses, and counts the source's boxes.

        Args:
            inputs (dict[str, Tensor]): As in ``loss``.
            samples (dict[str, list]): DetDataSamples.

        Returns:
            dict[str, Tensor]: Losses, with those of the domain classifiers if
            these train now.
        """
        source = samples['source']
        self.pseudo_labels.statistics.count_source(
            [sample.gt_instances.labels for sample in source]
        )
        if not self._aligns():
            return self.student.loss(inputs['source'], source)
        domains = ('source', 'target')
        return self.student.loss(
            {d: inputs[d] for d in domains}, {d: samples[d] for d in domains}
        )

    @torch.no_grad()
    def detect(
        self, weak: Tensor, weak_samples: SampleList
    ) -> tuple[InstanceList, RPNOutputs | None]:
        """Has the teacher detect in the weak view.

        Args:
            weak (Tensor): (N, 3, H, W).
            weak_samples (list[DetDataSample]): N.

        Returns:
            tuple: Detections of each image, down to the lowest score that
            PseudoLabels uses; and, with ``distillation``, what the teacher's
            RPN computed.
        """
        recording = (
            record_rpn(self.teacher) if self.distillation else nullcontext([])
        )
        lowest = self.pseudo_labels.lowest_score
        with score_thr_at_most(self.teacher, lowest), recording as passes:
            found = self.teacher.predict(
                weak, without_flips(weak_samples), rescale=False
            )
        detections = [sample.pred_instances for sample in found]
        return detections, passes[0] if passes else None

    def target_loss(
        self,
        strong: Tensor,
        labelled: SampleList,
        selected: list[tuple],
        outputs: RPNOutputs | None,
    ) -> dict:
        """Computes the student's losses on the target, weighted.

        Args:
            strong (Tensor): What the student sees, (N, 3, H, W).
            labelled (list[DetDataSample]): N, with the pseudo-labels.
            selected (list[tuple]): Labels and uncertain boxes of each image,
                as PseudoLabels gives them.
            outputs (RPNOutputs, optional): What the teacher's RPN computed,
                for ``distillation``.

        Returns:
            dict[str, Tensor]: Losses named ``target_*``.
        """
        if self.distillation:
            weight = 1.0
            losses = self.distillation(
                self.student, self.teacher, strong, outputs, labelled
            )
        else:
            losses, weight = self.pseudo_label_loss(strong, labelled, selected)
        weight = weight * self.target_weight
        if self.weight_by_score:
            weight = weight * mean_score([labels for labels, _ in selected])
        weighted = {}
        for name, value in losses.items():
            if 'loss' in name:
                left_out = not self.box_losses and is_localization_loss(name)
                factor = 0.0 if left_out else weight
                if isinstance(value, (list, tuple)):
                    value = [factor * item for item in value]
                else:
                    value = factor * value
            weighted[f'target_{name}'] = value
        return weighted

    def pseudo_label_loss(
        self, strong: Tensor, labelled: SampleList, selected: list[tuple]
    ) -> tuple[dict, float]:
        """Computes the student's own losses on the pseudo-labels.

        An image that teaches nothing is replaced by another one of the batch.

        Args:
            strong, labelled, selected: As in ``target_loss``.

        Returns:
            tuple[dict, float]: Losses and their weight: 0 if no image teaches
            anything. The losses are computed all the same, as other processes
            may wait for the forward pass.
        """
        used = [i for i, parts in enumerate(selected) if self._teaches(*parts)]
        weight = 1.0
        if len(used) < len(selected):
            weight = 1.0 if used else 0.0
            used = used or range(len(labelled))
            used = [used[i % len(used)] for i in range(len(labelled))]
            strong = strong[used]
            labelled = [copy.copy(labelled[i]) for i in used]
        if not self.ignores_boxes:
            strong = cover_uncertain(strong, labelled)
        return self.student.loss(strong, labelled), weight

    @torch.no_grad()
    def compare(
        self, selected: list[tuple], weak: Tensor, weak_samples: SampleList
    ) -> dict[str, Tensor]:
        """Compares the student's detections with the teacher's labels.

        Args:
            selected (list[tuple]): Labels and uncertain boxes of each image.
            weak (Tensor): The images, (N, 3, H, W).
            weak_samples (list[DetDataSample]): N.

        Returns:
            dict[str, Tensor]: ``pseudo_agreement``, the mean F1 score of the
            two in an image; nothing between two intervals.
        """
        interval = self.agreement_interval
        if not interval or self.iteration % interval:
            return {}
        training = self.student.training
        self.student.eval()
        found = self.student.predict(
            weak, without_flips(weak_samples), rescale=False
        )
        self.student.train(training)
        detections = [sample.pred_instances for sample in found]
        scores = [
            agreement(ours, theirs[self.pseudo_labels.are_confident(theirs)])
            for (ours, _), theirs in zip(selected, detections)
        ]
        return dict(pseudo_agreement=weak.new_tensor(scores).mean())

    def _check(self, samples: dict[str, SampleList]) -> None:
        """Raises a ValueError if self-training could not use the batches."""
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
        # In self-training, move_labels() makes the same check.
        if not self.self_training:
            for strong, weak in zip(samples['target'], samples['target_weak']):
                homography(strong, weak)

    def _aligns(self) -> bool:
        """Whether the student has domain classifiers that train now."""
        has_any = any(
            getattr(self.student, name, None)
            for name in ('domain_neck', 'instance_domain_head')
        )
        return has_any and (self.align == 'always' or not self.self_training)

    def _teaches(self, labels: InstanceData, uncertain: InstanceData) -> bool:
        """Whether the student learns from an image."""
        if len(labels):
            return True
        # A student that ignores no box would take uncertain ones for
        # background.
        return self.empty_images and (self.ignores_boxes or not len(uncertain))


def mean_score(labels: InstanceList) -> Tensor:
    """Averages the scores of the labels of all processes; 0 without labels."""
    scores = torch.cat([found.scores for found in labels]).float()
    total = torch.stack([scores.sum(), scores.new_tensor(len(scores))])
    all_reduce(total)
    return total[0] / total[1].clamp(min=1)
