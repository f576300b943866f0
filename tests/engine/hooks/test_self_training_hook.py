"""Burn-in, the teacher's update, the alarm."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import EMAHook
from torch import nn

from da_faster.engine import CollapsedError, SelfTrainingHook, TargetLoop
from da_faster.models import PseudoLabels


class Pair(nn.Module):
    """A student and a teacher of one weight and one running mean each."""

    align = 'burn-in'
    self_training = False
    semi_test_cfg = dict(predict_on='teacher')

    def __init__(self) -> None:
        super().__init__()
        self.source_model = None
        self.student, self.teacher = (
            nn.BatchNorm1d(1, affine=True) for _ in range(2)
        )
        self.pseudo_labels = PseudoLabels(
            2, threshold=0.5, statistics_window=4
        )


class Log(list):
    """The texts that a logger got."""

    def info(self, text, *args) -> None:
        self.append(text % args)

    warning = info


@pytest.fixture
def runner():
    scalars = []
    return SimpleNamespace(
        model=Pair(),
        iter=0,
        max_iters=10,
        hooks=[],
        train_loop=SimpleNamespace(target_dataloader=None),
        logger=Log(),
        train_dataloader=SimpleNamespace(
            dataset=SimpleNamespace(metainfo=dict(classes=('cat', 'dog')))
        ),
        message_hub=SimpleNamespace(
            log_scalars={
                'train/loss_da_image': 1,
                'train/acc_da_image': 1,
                'train/loss_cls': 1,
            }
        ),
        visualizer=SimpleNamespace(
            add_scalars=lambda values, step: scalars.append((step, values))
        ),
        scalars=scalars,
    )


def test_burn_in_ends_where_it_should(runner):
    hook = SelfTrainingHook(burn_in=3)
    for iteration in range(5):
        runner.iter = iteration
        hook.before_train_iter(runner, iteration)
        assert runner.model.iteration == iteration
        assert runner.model.self_training == (iteration >= 3)
        logged = runner.message_hub.log_scalars
        assert ('train/loss_da_image' in logged) == (iteration < 3)
        assert ('train/acc_da_image' in logged) == (iteration < 3)
    assert 'train/loss_cls' in runner.message_hub.log_scalars


def test_the_teacher_follows_the_student_buffers_included(runner):
    hook = SelfTrainingHook(burn_in=3, momentum=0.25)
    student, teacher = runner.model.student, runner.model.teacher
    student.weight.data.fill_(5.0)
    teacher.weight.data.fill_(2.0)
    student.running_mean.fill_(4.0)
    student.num_batches_tracked.fill_(7)
    statistics = runner.model.pseudo_labels.statistics
    statistics.source_boxes.fill_(3)
    hook.before_train(runner)
    assert teacher.weight.item() == 2  # weights of load_from stay
    assert statistics.source_boxes.tolist() == [0, 0]
    assert 'burn-in until iteration 3 of 10' in runner.logger[0]
    assert 'the weights of the teacher' in runner.logger[0]
    hook.after_train_iter(runner, 0)
    assert teacher.weight.item() == 2.75  # 2 + (5 - 2) / 4
    assert teacher.running_mean.item() == 1
    assert teacher.num_batches_tracked.item() == 0
    runner.iter = 5  # a resume keeps what was counted
    statistics.source_boxes.fill_(3)
    hook.before_train(runner)
    assert statistics.source_boxes.tolist() == [3, 3]


def test_the_student_may_start_from_the_average(runner):
    runner.model.student.weight.data.fill_(5.0)
    for reset_student, wanted in ((False, 5), (True, 1)):
        hook = SelfTrainingHook(burn_in=3, reset_student=reset_student)
        for runner.iter in (2, 3):
            assert runner.model.student.weight.item() == 5
            hook.before_train_iter(runner, 0)
        assert runner.model.student.weight.item() == wanted


def test_a_shared_weight_moves_once(runner):
    hook = SelfTrainingHook(burn_in=3, momentum=0.25)
    for part in (runner.model.student, runner.model.teacher):
        part.again = part.weight
    runner.model.student.weight.data.fill_(5.0)
    hook.after_train_iter(runner, 0)
    assert runner.model.teacher.weight.item() == 2  # 1 + (5 - 1) / 4


def test_a_less_confident_teacher_gets_source_weights_back(runner):
    hook = SelfTrainingHook(burn_in=0, momentum=0.5, restore_rate=0.25)
    model = runner.model
    with pytest.raises(ValueError, match='keep_source_model=True'):
        hook.before_train(runner)
    model.source_model = nn.BatchNorm1d(1)
    model.teacher.weight.data.fill_(4.0)
    hook.before_train(runner)
    assert model.source_model.weight.item() == 4  # of load_from
    model.student.weight.data.fill_(6.0)
    model.self_training = False
    hook.after_train_iter(runner, 0)
    assert model.teacher.weight.item() == 5  # 4 + (6 - 4) / 2
    model.pseudo_labels = counted([0.5, 0.1], [1.0, 0.1])
    assert model.pseudo_labels.statistics.less_confident
    hook.after_train_iter(runner, 0)
    assert model.teacher.weight.item() == 5.125  # 5.5, a quarter back to 4
    runner.iter = 3  # a resume keeps them
    hook.before_train(runner)
    assert model.source_model.weight.item() == 4


@pytest.mark.parametrize(
    'threshold, burn_in, load_from, sentence',
    [
        ('frequency', 0, 'x.pth', "counts the source's boxes"),
        (0.5, 3, 'x.pth', 'nothing to learn in a burn-in'),
        (0.5, 0, None, 'neither a source nor weights'),
    ],
)
def test_what_needs_a_source(threshold, burn_in, load_from, sentence, runner):
    runner.train_loop = TargetLoop.__new__(TargetLoop)
    runner.train_loop._dataloader = None
    runner.train_loop._loaders_seed = 0
    runner._load_from = load_from
    runner.model.pseudo_labels = PseudoLabels(2, threshold=threshold)
    runner.seed, runner._randomness_cfg = 0, {}
    runner.train_loop._runner = runner
    with pytest.raises(ValueError, match=sentence):
        SelfTrainingHook(burn_in=burn_in).before_train(runner)


def counted(now: list, most: list) -> PseudoLabels:
    """Labels of each class in an image, now and at most."""
    labels = PseudoLabels(2, threshold=0.5, statistics_window=200)
    counts = labels.statistics
    counts.labels_per_image.copy_(torch.tensor(now))
    counts.most_labels_per_image.copy_(torch.tensor(most))
    counts.scores.fill_(0.9)
    counts.best_scores.fill_(0.9)
    counts.most_labels_of_all.fill_(sum(most))
    counts.best_score_sum.fill_(0.9 * sum(most))
    counts.source_boxes.copy_(torch.tensor([2.0, 1.0]))
    counts.source_images.fill_(1)
    counts.target_images.fill_(1000)
    return labels


def test_a_warning_is_given_once(runner):
    hook = SelfTrainingHook(burn_in=0, interval=2)
    runner.model.pseudo_labels = counted([1.0, 0.01], [1.0, 0.4])
    labels_per_image = runner.model.pseudo_labels.statistics.labels_per_image
    warned = []
    for runner.iter in range(8):
        if runner.iter == 4:  # it recovers
            labels_per_image[1] = 0.3
        if runner.iter == 6:  # and fades again
            labels_per_image[1] = 0.01
        runner.logger.clear()
        hook.before_train_iter(runner, 0)
        hook.after_train_iter(runner, 0)
        warned.append(any('dog fade' in line for line in runner.logger))
    assert warned == [False, True, *[False] * 5, True]
    assert [step for step, _ in runner.scalars] == [2, 4, 6, 8]
    assert runner.scalars[0][1] == {
        'pseudo_boxes/cat': 1.0,
        'pseudo_boxes/dog': pytest.approx(0.01),
        'pseudo_score/cat': pytest.approx(0.9),
        'pseudo_score/dog': pytest.approx(0.9),
        'pseudo_threshold/cat': 0.5,
        'pseudo_threshold/dog': 0.5,
    }


def test_a_collapse_ends_the_training_if_asked_to(runner):
    hook = SelfTrainingHook(burn_in=0, interval=1, stop_on_collapse=True)
    runner.model.pseudo_labels = counted([1.0, 0.01], [1.0, 0.4])
    hook.before_train_iter(runner, 0)
    with pytest.raises(CollapsedError, match='Iteration 1: .*dog fade'):
        hook.after_train_iter(runner, 0)


def refused(runner, sentence: str, burn_in: int = 3) -> None:
    with pytest.raises(ValueError, match=f'SelfTrainingHook: {sentence}'):
        SelfTrainingHook(burn_in=burn_in).before_train(runner)


def test_set_ups_that_cannot_work_are_refused(runner):
    refused(runner, r'burn_in \(10\) is not before the last', burn_in=10)
    runner.hooks = [EMAHook()]
    refused(runner, 'the teacher is an average already')
    del runner.train_loop.target_dataloader
    refused(runner, 'there is no target')
    runner.model = nn.Linear(1, 1)
    refused(runner, 'the model is a Linear, not a MeanTeacher')


@pytest.mark.parametrize('options', [dict(burn_in=-1), dict(momentum=1.0)])
def test_wrong_options(options):
    (name,) = options
    with pytest.raises(ValueError, match=f'SelfTrainingHook: {name} must'):
        SelfTrainingHook(**dict(dict(burn_in=0), **options))
