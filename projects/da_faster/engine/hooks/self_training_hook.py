"""Burn-in, update of the teacher, alarm when pseudo-labels collapse."""

import torch
from mmdet.engine.hooks import MeanTeacherHook
from mmdet.registry import HOOKS
from mmengine.dist import all_reduce_params
from mmengine.hooks import EMAHook
from mmengine.runner import Runner
from torch.nn.modules.batchnorm import SyncBatchNorm, _BatchNorm

from da_faster.engine.loops import TargetLoop
from da_faster.engine.runner_internals import checkpoint_to_load
from da_faster.errors import UserError

from .unwrapped_model import unwrapped_model


class CollapsedError(UserError):
    """Ends a training whose pseudo-labels have become useless."""


@HOOKS.register_module()
class SelfTrainingHook(MeanTeacherHook):
    """Trains a MeanTeacher: first a burn-in, then with the teacher's labels.

    The teacher is the student's moving average from the first iteration on. So
    self-training begins with averaged weights. With ``load_from`` student and
    teacher have trained weights already; then ``burn_in=0`` makes sense.

    The weights depend on the iteration and on the model's own state alone, so
    a resumed run continues exactly.

    The hook warns when there are no pseudo-labels, when they vanish, become
    many more than the source's boxes, fall into one class, lose one, or when
    a class gets worse scores. It repeats a warning only after the cause was
    gone, or after a resume.

    Args:
        burn_in (int): Iterations without the teacher's labels.
        momentum (float): Weight of the student in the moving average at each
            iteration. Short trainings need a large one.
        interval (int): Iterations between two checks of the pseudo-labels.
        stop_on_collapse (bool): Whether a collapse ends the training.
        reset_student (bool): Whether the student takes over the averaged
            weights at the end of the burn-in, as in ALDI++.
        restore_rate (float): Fraction of the source weights that each
            iteration restores in the teacher while the teacher is less
            confident than it was (``LabelStatistics.less_confident``). Needs
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
        self.warned_of: set[str] = set()

    def before_train(self, runner: Runner) -> None:
        """Checks the set-up; MeanTeacherHook's would overwrite the teacher.

        Raises:
            ValueError: If the model, the loop, the burn-in or another hook do
                not fit.
        """
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
        if runner.iter == 0:  # load_from gives weights alone
            model.pseudo_labels.reset()
            if model.source_model is not None:
                model.source_model.load_state_dict(model.teacher.state_dict())
        runner.logger.info(
            'Self-training: burn-in until iteration %d of %d. Validation and '
            'test use the weights of the %s.',
            self.burn_in,
            runner.max_iters,
            model.semi_test_cfg['predict_on'],
        )

    def _check_source_free(self, runner: Runner, model) -> None:
        """Raises a ValueError if a setting needs a source."""
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
        if runner.iter == 0 and not checkpoint_to_load(runner):
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
            # The classifiers' last values would be logged to the end.
            logged = runner.message_hub.log_scalars
            for name in [n for n in logged if '_da_' in n]:
                del logged[name]

    def momentum_update(self, model: torch.nn.Module, momentum: float) -> None:
        """Moves all weights of the teacher, buffers included.

        Each process learns batch-norm statistics of its own images. The
        teacher gets their mean, so all processes have the same teacher.
        """
        teacher, student = map(weights_of, (model.teacher, model.student))
        with torch.no_grad():
            torch._foreach_lerp_(teacher, student, momentum)
            statistics = model.pseudo_labels.statistics
            if self.restore_rate and statistics.less_confident:
                source = weights_of(model.source_model)
                torch._foreach_lerp_(teacher, source, self.restore_rate)
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
        statistics = labels.statistics
        classes = class_names(runner, labels.num_classes)
        watched = dict(
            pseudo_boxes=statistics.labels_per_image,
            pseudo_score=statistics.scores,
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
        now = statistics.signs_of_collapse(classes)
        for key, sentence in now.items():
            if key not in self.warned_of:
                runner.logger.warning('%s', sentence)
        self.warned_of = set(now)
        if now and self.stop_on_collapse:
            raise CollapsedError(
                f'Iteration {runner.iter + 1}: {" ".join(now.values())} '
                'SelfTrainingHook(stop_on_collapse=True) ends the training '
                'here.'
            )


def weights_of(part: torch.nn.Module) -> list[torch.Tensor]:
    """Lists the parameters and buffers to average, each once."""
    # Not from state_dict, where a shared weight stands under each name.
    return [
        weight
        for weight in (*part.parameters(), *part.buffers())
        if weight.dtype.is_floating_point
    ]


def learned_statistics(model: torch.nn.Module) -> list[torch.Tensor]:
    """Finds the batch-norm statistics that differ between processes.

    Args:
        model (MeanTeacher): A model whose student learns the statistics of
            the images of its process.

    Returns:
        list[Tensor]: Running means and variances of the teacher.
    """
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
    """Gives the names of the source's classes, else their numbers."""
    dataset = runner.train_dataloader.dataset
    names = getattr(dataset, 'metainfo', {}).get('classes') or range(number)
    return [str(name) for name in names]
