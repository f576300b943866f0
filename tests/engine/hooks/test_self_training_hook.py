"""Burn-in, the teacher's update, the alarm."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.structures import InstanceData
from torch import nn

from da_faster.engine import CollapsedError, SelfTrainingHook, TargetLoop
from da_faster.engine.hooks.self_training_hook import signs_of_collapse
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
    runner.model.pseudo_labels.source_boxes.fill_(3)
    hook.before_train(runner)
    assert teacher.weight.item() == 2  # weights of load_from stay
    assert runner.model.pseudo_labels.source_boxes.tolist() == [0, 0]
    assert 'burn-in until iteration 3 of 10' in runner.logger[0]
    assert 'the weights of the teacher' in runner.logger[0]
    hook.after_train_iter(runner, 0)
    assert teacher.weight.item() == 2.75  # 2 + (5 - 2) / 4
    assert teacher.running_mean.item() == 1
    assert teacher.num_batches_tracked.item() == 0
    runner.iter = 5  # a resume keeps what was counted
    runner.model.pseudo_labels.source_boxes.fill_(3)
    hook.before_train(runner)
    assert runner.model.pseudo_labels.source_boxes.tolist() == [3, 3]


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


def test_an_unsure_teacher_gets_its_first_weights_back(runner):
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
    model.pseudo_labels = counted([0.5, 0.1], [1.0, 0.1], [1.0, 1.0])
    assert model.pseudo_labels.less_confident
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


def counted(kept, most, source, images=1000, score=(), best=()):
    """PseudoLabels with a statistics window of 200 images."""
    labels = PseudoLabels(len(kept), threshold=0.5, statistics_window=200)
    labels.kept.copy_(torch.tensor(kept))
    labels.kept_most.copy_(torch.tensor(most))
    labels.score.copy_(torch.tensor(score or [0.9] * len(kept)))
    labels.score_most.copy_(torch.tensor(best or [0.9] * len(kept)))
    labels.all_kept_most.fill_(sum(most))
    labels.all_scores_most.copy_((labels.kept_most * labels.score_most).sum())
    labels.source_boxes.copy_(torch.tensor(source))
    labels.source_images.fill_(1)
    labels.target_images.fill_(images)
    return labels


@pytest.mark.parametrize(
    'kept, most, source, signs',
    [
        ([1.0, 0.5], [1.2, 0.6], [2.0, 1.0], {}),
        ([0.05, 0.05], [1.0, 0.6], [2.0, 1.0], {'vanish': '0.10 boxes'}),
        ([0.0, 0.0], [0.0, 0.0], [2.0, 1.0], {'none': 'no pseudo-label'}),
        ([6.0, 4.0], [6.0, 4.0], [2.0, 1.0], {'explode': '10.0 boxes'}),
        # The dog fades, and with it goes the balance.
        (
            [1.0, 0.04],
            [1.0, 0.4],
            [2.0, 1.0],
            {'one class': '96% .* cat', 'fading dog': 'dog fade: 0.040'},
        ),
        # One that is rare fades, too: 30 boxes in 200 images, then 2.
        ([1.0, 0.01], [1.0, 0.15], [2.0, 0.2], {'fading dog': '0.010'}),
        # 10 boxes, then 2: that happens by chance.
        ([1.0, 0.01], [1.0, 0.05], [2.0, 0.05], {}),
        ([1.0, 0.0], [1.0, 0.0], [2.0, 0.1], {'no dog': 'hardly any'}),
        # Where the source, too, has one class alone, nothing is wrong.
        ([1.0, 0.0], [1.0, 0.0], [2.0, 0.0], {}),
    ],
)
def test_signs_of_collapse(kept, most, source, signs):
    found = signs_of_collapse(counted(kept, most, source), ['cat', 'dog'])
    assert found.keys() == signs.keys()
    for key, words in signs.items():
        assert re.search(words, found[key])
    few = counted(kept, most, source, images=199)
    assert signs_of_collapse(few, ['cat', 'dog']) == {}


def test_without_a_source_the_first_labels_are_the_measure():
    labels = counted([7.0, 0.1], [7.0, 0.5], [0.0, 0.0])
    labels.source_images.zero_()
    labels.kept_first.copy_(torch.tensor([1.0, 0.5]))
    found = signs_of_collapse(labels, ['cat', 'dog'])
    assert 'at first there were 1.5' in found['explode']
    assert 'at first there were 67%' in found['one class']
    labels.kept.copy_(torch.tensor([3.0, 0.5]))
    assert signs_of_collapse(labels, ['cat', 'dog']) == {}


def test_no_label_from_the_first_on_is_told():
    nothing = [0.0, 0.0]
    labels = counted(nothing, nothing, nothing)
    labels.source_images.fill_(0)
    (said,) = signs_of_collapse(labels, ['cat', 'dog']).values()
    assert 'no pseudo-label at all' in said


def test_labels_that_keep_their_number_and_lose_their_scores():
    """As thresholds by frequency make it."""
    counts = [1.0, 0.5], [1.0, 0.5], [2.0, 1.0]
    for now, signs in ((0.7, []), (0.5, ['unsure dog'])):
        labels = counted(*counts, score=[0.9, now], best=[0.9, 0.9])
        assert list(signs_of_collapse(labels, ['cat', 'dog'])) == signs


def test_numbers_that_scatter_are_no_collapse():
    """A steady teacher over 20,000 images is never warned of."""
    rng = np.random.default_rng(0)
    labels = PseudoLabels(2, threshold=0.5)
    labels.count_source([torch.tensor([0, 0, 1])])
    for _ in range(10_000):
        drawn = rng.poisson([1.0, 0.1], (2, 2))
        labels._count(
            [
                InstanceData(
                    labels=torch.tensor([0] * a + [1] * b, dtype=torch.long),
                    scores=torch.full((a + b,), 0.9),
                )
                for a, b in drawn
            ]
        )
        assert signs_of_collapse(labels, ['cat', 'dog']) == {}


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
        'pseudo_score/cat': pytest.approx(0.9),
        'pseudo_score/dog': pytest.approx(0.9),
        'pseudo_threshold/cat': 0.5,
        'pseudo_threshold/dog': 0.5,
    }


def test_a_collapse_ends_the_training_if_asked_to(runner):
    hook = SelfTrainingHook(burn_in=0, interval=1, stop_on_collapse=True)
    runner.model.pseudo_labels = counted([1.0, 0.01], [1.0, 0.4], [2.0, 1.0])
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
