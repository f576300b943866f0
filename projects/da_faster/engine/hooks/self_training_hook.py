"""Burn-in, the teacher's update, and an alarm when pseudo-labels collapse."""

import torch
from mmdet.engine.hooks import MeanTeacherHook
from mmdet.registry import HOOKS
from mmengine.dist import all_reduce_params
from mmengine.hooks import EMAHook
from mmengine.runner import Runner
from torch.nn.modules.batchnorm import SyncBatchNorm, _BatchNorm

from da_faster.engine.loops import TargetLoop
from da_faster.errors import UserError

from .unwrapped_model import unwrapped_model


class CollapsedError(UserError):
    """The pseudo-labels are no good any more."""


@HOOKS.register_module()
class SelfTrainingHook(MeanTeacherHook):
    """Trains a MeanTeacher: first the burn-in, then with the teacher's labels.

    The teacher is the student's moving average from the first iteration on. So
    after the burn-in it starts from averaged weights. With ``load_from`` both
    have weights already; then ``burn_in=0`` makes sense.

    The weights depend on the iteration and on the model's own state alone, so
    a resumed run goes on exactly.

    It warns when there are no pseudo-labels, when they vanish, become many
    more than the source's boxes, fall into one class, lose one, or when a
    class gets worse scores. A warning comes again only after its cause was
    gone, or after a resume.

    Args:
        burn_in (int): Iterations without the teacher's labels.
        momentum (float): The student's share in the teacher at each
            iteration. Short trainings need a large one.
        interval (int): Iterations between two looks at the pseudo-labels.
        stop_on_collapse (bool): Whether a collapse ends the training.
        reset_student (bool): Whether the student takes over the averaged
            weights at the end of the burn-in, as in ALDI++.
        restore_rate (float): Fraction of the source weights that each
            iteration restores in the teacher while the teacher is less
            confident than it was (``PseudoLabels.less_confident``). Needs
            ``MeanTeacher(keep_source_model=True)``. 0 restores nothing.
    """

    def __init__(
        self,
        burn_in: int,
        momentum: float = 0.01,
        interval: int = 50,
        stop_on_collapse: bool = False,
        reset_student: bool = False,
        restore_rate: float = 0.0,
    ) -> None:
        if burn_in < 0:
            raise ValueError(
                f'SelfTrainingHook: burn_in must be >= 0, got {burn_in!r}'
            )
        if not 0 < momentum < 1:
            raise ValueError(
                'SelfTrainingHook: momentum must lie between 0 and 1, got '
                f'{momentum!r}'
            )
        if not 0 <= restore_rate <= 1:
            raise ValueError(
                'SelfTrainingHook: restore_rate must lie in [0, 1], got '
                f'{restore_rate!r}'
            )
        super().__init__(momentum=momentum, interval=1, skip_buffer=False)
        self.burn_in = burn_in
        self.look_interval = interval
        self.stop_on_collapse = stop_on_collapse
        self.reset_student = reset_student
        self.restore_rate = restore_rate
        self.told: set[str] = set()

    def before_train(self, runner: Runner) -> None:
        """Checks the set-up. MeanTeacherHook's would overwrite the teacher."""
        model = unwrapped_model(runner)
        if not hasattr(model, 'pseudo_labels'):
            raise ValueError(
                f'SelfTrainingHook: the model is a {type(model).__name__}, '
                'not a MeanTeacher'
            )
        if not hasattr(runner.train_loop, 'target_dataloader'):
            raise ValueError(
                'SelfTrainingHook: there is no target; give train_cfg '
                "type='DALoop' and a target_dataloader"
            )
        if self.burn_in >= runner.max_iters:
            raise ValueError(
                f'SelfTrainingHook: burn_in ({self.burn_in}) is not before '
                f'the last iteration ({runner.max_iters})'
            )
        if isinstance(runner.train_loop, TargetLoop):
            self._check_source_free(runner, model)
        if self.restore_rate and model.source_model is None:
            raise ValueError(
                'SelfTrainingHook: restore_rate needs '
                'MeanTeacher(keep_source_model=True)'
            )
        if any(isinstance(hook, EMAHook) for hook in runner.hooks):
            raise ValueError(
                'SelfTrainingHook: the teacher is an average already; take '
                'EMAHook out of custom_hooks'
            )
        if runner.iter == 0:  # of load_from take the weights alone
            model.pseudo_labels.forget()
            if model.source_model is not None:
                model.source_model.load_state_dict(model.teacher.state_dict())
        runner.logger.info(
            'Self-training: burn-in until iteration %d of %d. Validated and '
            'tested are the weights of the %s.',
            self.burn_in,
            runner.max_iters,
            model.semi_test_cfg['predict_on'],
        )

    def _check_source_free(self, runner: Runner, model) -> None:
        """Raises a ValueError for what needs a source."""
        if model.pseudo_labels.by_frequency:
            raise ValueError(
                "SelfTrainingHook: threshold='frequency' counts the source's "
                'boxes, and there is no source; give pseudo_labels a number'
            )
        if self.burn_in:
            raise ValueError(
                'SelfTrainingHook: without a source there is nothing to learn '
                'in a burn-in; set burn_in=0'
            )
        if runner.iter == 0 and not runner._load_from:
            raise ValueError(
                'SelfTrainingHook: there is neither a source nor weights to '
                'start from; set load_from'
            )

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        model = unwrapped_model(runner)
        model.iteration = runner.iter
        model.self_training = runner.iter >= self.burn_in
        if self.reset_student and runner.iter == self.burn_in:
            model.student.load_state_dict(model.teacher.state_dict())
        if model.self_training and model.align == 'burn-in':
            # Else their last values would be logged to the end.
            logged = runner.message_hub.log_scalars
            for name in [n for n in logged if '_da_' in n]:
                del logged[name]

    def momentum_update(self, model: torch.nn.Module, momentum: float) -> None:
        """Moves all weights of the teacher, buffers included.

        Each process has statistics of its own images in the batch norms that
        learn them. The teacher gets the mean, so it is one on all processes.
        """
        teacher, student = map(weights_of, (model.teacher, model.student))
        with torch.no_grad():
            torch._foreach_lerp_(teacher, student, momentum)
            if self.restore_rate and model.pseudo_labels.less_confident:
                start = weights_of(model.source_model)
                torch._foreach_lerp_(teacher, start, self.restore_rate)
        all_reduce_params(learned_statistics(model), op='mean')

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        model = unwrapped_model(runner)
        if not model.self_training or not self.every_n_train_iters(
            runner, self.look_interval
        ):
            return
        labels = model.pseudo_labels
        classes = class_names(runner, labels.num_classes)
        watched = dict(
            pseudo_boxes=labels.kept,
            pseudo_score=labels.score,
            pseudo_threshold=labels.thresholds,
        )
        runner.visualizer.add_scalars(
            {
                f'{key}/{name}': value
                for key, values in watched.items()
                for name, value in zip(classes, values.tolist())
            },
            step=runner.iter + 1,
        )
        now = signs_of_collapse(labels, classes)
        for key, sentence in now.items():
            if key not in self.told:
                runner.logger.warning('%s', sentence)
        self.told = set(now)
        if now and self.stop_on_collapse:
            raise CollapsedError(
                f'Iteration {runner.iter + 1}: {" ".join(now.values())} '
                'SelfTrainingHook(stop_on_collapse=True) ends the training '
                'here.'
            )


def weights_of(part: torch.nn.Module) -> list[torch.Tensor]:
    """What is averaged: parameters and buffers, each once."""
    # Not of state_dict, where a shared weight stands under each name.
    return [
        weight
        for weight in (*part.parameters(), *part.buffers())
        if weight.dtype.is_floating_point
    ]


def learned_statistics(model: torch.nn.Module) -> list[torch.Tensor]:
    """Those of a MeanTeacher's teacher that differ between processes."""
    pairs = zip(model.student.modules(), model.teacher.modules())
    return [
        statistic
        for ours, theirs in pairs
        if isinstance(ours, _BatchNorm)
        and not isinstance(ours, SyncBatchNorm)
        and ours.training
        and ours.track_running_stats
        for statistic in (theirs.running_mean, theirs.running_var)
    ]


def class_names(runner: Runner, number: int) -> list[str]:
    """The names of the source's classes."""
    dataset = runner.train_dataloader.dataset
    names = getattr(dataset, 'metainfo', {}).get('classes') or range(number)
    return [str(name) for name in names]


def signs_of_collapse(
    labels: torch.nn.Module, classes: list[str]
) -> dict[str, str]:
    """What is wrong with the pseudo-labels.

    Args:
        labels (PseudoLabels): Has counted them.
        classes (list[str]): Names, C.

    Returns:
        dict[str, str]: By a key of the cause, a sentence.
    """
    if labels.target_images < labels.statistics_window:
        return {}
    kept, most = labels.kept.tolist(), labels.kept_most.tolist()
    score, best = labels.score.tolist(), labels.score_most.tolist()
    if labels.source_images:
        usual, where = labels.frequencies.tolist(), 'a source image has'
    else:
        usual, where = labels.kept_first.tolist(), 'at first there were'
    total, wanted = sum(kept), sum(usual)
    ever = labels.all_kept_most.item()
    advice = (
        'The student may unlearn the target: look at the detections, or end '
        'the training earlier.'
    )
    if not ever:
        said = (
            'There is no pseudo-label at all, so the student learns nothing '
            'of the target, or that it is empty: lower the threshold of '
            'pseudo-labels, or look at the images.'
        )
        return {'none': said}
    if total < 0.1 * max(ever, 0.2 * wanted):
        said = (
            f'Pseudo-labels vanish: {total:.2f} boxes an image, where there '
            f'were {ever:.2f} and {where} {wanted:.2f}. '
        )
        return {'vanish': said + advice}
    found = {}
    if total > 3 * max(wanted, 0.1):
        found['explode'] = (
            f'Pseudo-labels explode: {total:.1f} boxes an image, where '
            f'{where} {wanted:.1f}. That is right only where the '
            'target shows as many; else raise the threshold of pseudo-labels.'
        )
    for i, name in enumerate(classes):
        if (
            len(classes) > 1
            and kept[i] > 0.95 * total
            and usual[i] < 0.8 * wanted
        ):
            found['one class'] = (
                f'{kept[i] / total:.0%} of the pseudo-labels are {name}, '
                f'where {where} {usual[i] / wanted:.0%}. {advice}'
            )
        # The window has a number of boxes, and numbers scatter.
        before, now = (labels.statistics_window * x[i] for x in (most, kept))
        if now < 0.25 * before and before - now > 4 * before**0.5:
            found[f'fading {name}'] = (
                f'Pseudo-labels of {name} fade: {kept[i]:.3f} an image, where '
                f'there were {most[i]:.3f}. {advice}'
            )
        elif before < 1 and labels.statistics_window * usual[i] > 16:
            found[f'no {name}'] = (
                f'{name} gets hardly any pseudo-label: {kept[i]:.3f} an '
                f'image, where {where} {usual[i]:.3f}. That is '
                'right only where the target has none.'
            )
        if before >= 16 and score[i] < 0.7 * best[i]:
            found[f'unsure {name}'] = (
                f'Pseudo-labels of {name} get worse scores: {score[i]:.2f} on '
                f'average, where it was {best[i]:.2f}. {advice}'
            )
    return found
