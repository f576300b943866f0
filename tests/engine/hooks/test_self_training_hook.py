"""Burn-in, the teacher's update, the alarm."""

import re
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from da_faster.engine import CollapsedError, SelfTrainingHook
from da_faster.engine.hooks.self_training_hook import signs_of_collapse
from da_faster.models import PseudoLabels


class Pair(nn.Module):
    """A student and a teacher of one weight and one running mean each."""

    align = 'burn-in'
    self_training = False
    semi_test_cfg = dict(predict_on='teacher')

    def __init__(self) -> None:
        super().__init__()
        self.student, self.teacher = (
            nn.BatchNorm1d(1, affine=True) for _ in range(2)
        )
        self.pseudo_labels = PseudoLabels(2, threshold=0.5, memory=4)


class Log(list):
    """What a logger was told."""

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
        logger=Log(),
        train_dataloader=SimpleNamespace(
            dataset=SimpleNamespace(metainfo=dict(classes=('cat', 'dog')))
        ),
        message_hub=SimpleNamespace(
            log_scalars={'train/loss_da_image': 1, 'train/loss_cls': 1}
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
        assert ('train/loss_da_image' in runner.message_hub.log_scalars) == (
            iteration < 3
        )
    assert 'train/loss_cls' in runner.message_hub.log_scalars


def test_the_teacher_follows_the_student_buffers_included(runner):
    hook = SelfTrainingHook(burn_in=3, momentum=0.25)
    student, teacher = runner.model.student, runner.model.teacher
    student.weight.data.fill_(5.0)
    teacher.weight.data.fill_(2.0)
    hook.before_train(runner)  # at the start they are one
    assert teacher.weight.item() == 5
    assert 'burn-in until iteration 3 of 10' in runner.logger[0]
    assert 'the weights of the teacher' in runner.logger[0]
    student.weight.data.fill_(9.0)
    student.running_mean.fill_(4.0)
    student.num_batches_tracked.fill_(7)
    hook.after_train_iter(runner, 0)
    assert teacher.weight.item() == 6  # 5 + (9 - 5) / 4
    assert teacher.running_mean.item() == 1
    assert teacher.num_batches_tracked.item() == 0
    runner.iter = 5  # a resume leaves the teacher as it was saved
    hook.before_train(runner)
    assert teacher.weight.item() == 6


def counted(kept, peak, source, images=100) -> PseudoLabels:
    labels = PseudoLabels(len(kept), threshold=0.5, memory=4)
    labels.kept.copy_(torch.tensor(kept))
    labels.peak.copy_(torch.tensor(peak))
    labels.source_boxes.copy_(torch.tensor(source))
    labels.source_images.fill_(1)
    labels.target_images.fill_(images)
    return labels


@pytest.mark.parametrize(
    'kept, peak, source, signs',
    [
        ([1.0, 0.5], [1.2, 0.6], [2.0, 1.0], {}),
        ([0.05, 0.05], [1.0, 0.6], [2.0, 1.0], {'vanish': '0.10 boxes'}),
        ([0.0, 0.0], [0.0, 0.0], [2.0, 1.0], {'vanish': '0.00 boxes'}),
        ([9.0, 8.0], [9.0, 8.0], [2.0, 1.0], {'explode': '17.0 boxes'}),
        # The dog fades, and with it goes the balance.
        (
            [1.0, 0.04],
            [1.0, 0.4],
            [2.0, 1.0],
            {'one class': '96% .* cat', 'fading dog': 'dog fade: 0.040'},
        ),
        # One that is rare fades, too.
        ([1.0, 0.01], [1.0, 0.05], [2.0, 0.1], {'fading dog': '0.010'}),
        ([1.0, 0.0], [1.0, 0.0], [2.0, 0.1], {'no dog': 'hardly any'}),
        # Where the source, too, has one class alone, nothing is wrong.
        ([1.0, 0.0], [1.0, 0.0], [2.0, 0.0], {}),
    ],
)
def test_signs_of_collapse(kept, peak, source, signs):
    found = signs_of_collapse(counted(kept, peak, source), ['cat', 'dog'])
    assert found.keys() == signs.keys()
    for key, words in signs.items():
        assert re.search(words, found[key])
    few = counted(kept, peak, source, images=3)
    assert signs_of_collapse(few, ['cat', 'dog']) == {}


def test_a_warning_is_given_once(runner):
    hook = SelfTrainingHook(burn_in=0, interval=2)
    runner.model.pseudo_labels = counted([1.0, 0.01], [1.0, 0.4], [2.0, 1.0])
    warned = []
    for runner.iter in range(8):
        if runner.iter == 4:  # it recovers
            runner.model.pseudo_labels.kept[1] = 0.3
        if runner.iter == 6:  # and fades again
            runner.model.pseudo_labels.kept[1] = 0.01
        runner.logger.clear()
        hook.before_train_iter(runner, 0)
        hook.after_train_iter(runner, 0)
        warned.append(any('dog fade' in line for line in runner.logger))
    assert warned == [False, True, *[False] * 5, True]
    assert [step for step, _ in runner.scalars] == [2, 4, 6, 8]
    assert runner.scalars[0][1] == {
        'pseudo_boxes/cat': 1.0,
        'pseudo_boxes/dog': pytest.approx(0.01),
    }


def test_a_collapse_ends_the_training_if_asked_to(runner):
    hook = SelfTrainingHook(burn_in=0, interval=1, stop=True)
    runner.model.pseudo_labels = counted([1.0, 0.01], [1.0, 0.4], [2.0, 1.0])
    hook.before_train_iter(runner, 0)
    with pytest.raises(CollapsedError, match='Iteration 1: .*dog fade'):
        hook.after_train_iter(runner, 0)


def test_another_model_is_refused(runner):
    runner.model = nn.Linear(1, 1)
    with pytest.raises(ValueError, match='model is a Linear, not a MeanT'):
        SelfTrainingHook(burn_in=0).before_train(runner)


@pytest.mark.parametrize('options', [dict(burn_in=-1), dict(momentum=1.0)])
def test_wrong_options(options):
    (name,) = options
    with pytest.raises(ValueError, match=f'SelfTrainingHook: {name} must'):
        SelfTrainingHook(**dict(dict(burn_in=0), **options))
