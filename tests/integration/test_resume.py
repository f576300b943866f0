"""A run that was interrupted continues where it stopped."""

import pytest
import torch

from launching import STYLE, TEACHER, derive, train
from recorder import digest


def interrupted(config, work_dir, **options) -> None:
    """A run that stopped after 4 iterations, with a checkpoint of 3."""
    with pytest.raises(SystemExit, match='stopped'):
        train(config, work_dir, custom_hooks__0__stop_after=4, **options)


@pytest.fixture(scope='module')
def whole(tiny_config, tmp_path_factory):
    return train(tiny_config, tmp_path_factory.mktemp('whole'))


def workers(source: int, target: int | None = None) -> dict:
    target = source if target is None else target
    return dict(
        train_dataloader__num_workers=source,
        train_cfg__target_dataloader__num_workers=target,
    )


@pytest.mark.slow
@pytest.mark.parametrize('before, after', [(0, 0), (2, 2), (0, 2), (2, 1)])
def test_a_resumed_run_is_the_whole_run(
    tiny_config, tmp_path, whole, before, after
):
    """Images, augmentations, learning rates and weights are the same."""
    interrupted(tiny_config, tmp_path, **workers(before))
    lines = train(tiny_config, tmp_path, '--resume', 'auto', **workers(after))
    assert lines[:4] == whole[:4]
    assert lines[4:] == whole[3:]


FEATURES = {
    'source only': """
model = dict(
    domain_neck=None, instance_domain_head=None, loss_consistency=None)
train_cfg = dict(_delete_=True, type='SeededTrainLoop', max_iters=6)
""",
    'moving average': """
custom_hooks = [
    dict(type='Recorder'), dict(type='EMAHook', priority='NORMAL')]
""",
    'accumulated gradients': """
optim_wrapper = dict(accumulative_counts=3)
""",
    'lattice of cells': """
model = dict(domain_neck=dict(cell_stride=2))
""",
    'reversal ramp': """
custom_hooks = [dict(type='Recorder'), dict(type='GradScaleRampHook')]
""",
    'momentum and steps': """
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='SGD', lr=0.01, momentum=0.9))
param_scheduler = [
    dict(type='MultiStepLR', by_epoch=False, milestones=[2, 4], gamma=0.1)]
""",
    'colours of the target': STYLE,
    'mean teacher': TEACHER,
    'mean teacher, soft labels, domain classifiers to the end': TEACHER
    + """
model.update(align='always', distillation=dict(type='TwoStageDistillation'))
custom_hooks[1].update(reset_student=True, burn_in=3)
""",
    'random sizes and grouped shapes': """
train_dataloader = dict(
    batch_sampler=dict(type='AspectRatioBatchSampler'),
    dataset=dict(pipeline=[
        _base_.load, _base_.labels,
        dict(type='RandomResize', scale=(96, 96), ratio_range=(0.7, 1.3)),
        dict(type='PhotoMetricDistortion'), _base_.flip, _base_.pack]))
""",
}


def weights_and_average(work_dir) -> tuple:
    checkpoint = torch.load(work_dir / 'iter_6.pth', weights_only=False)
    average = checkpoint.get('ema_state_dict', {})
    average.pop('steps', None)
    return digest(checkpoint['state_dict']), digest(average)


@pytest.mark.slow
@pytest.mark.parametrize('feature', FEATURES)
def test_a_resumed_run_is_the_whole_run_with(tiny_config, tmp_path, feature):
    config = derive(tiny_config, tmp_path, FEATURES[feature])
    options = dict(train_cfg__val_begin=100)
    one = train(config, tmp_path / 'whole', **options)
    interrupted(config, tmp_path / 'parts', **options)
    lines = train(config, tmp_path / 'parts', '--resume', **options)
    assert lines[4:] == one[3:]
    assert len({line['weights'] for line in one}) == (
        3 if feature == 'accumulated gradients' else 6
    )
    whole, parts = [
        weights_and_average(tmp_path / n) for n in ('whole', 'parts')
    ]
    assert whole == parts


@pytest.mark.slow
@pytest.mark.parametrize('loop', ['DALoop', 'OwnRunLoop', 'OwnIterLoop'])
def test_a_run_with_a_drawn_seed_resumes_with_it(tiny_config, tmp_path, loop):
    options = dict(randomness__seed=None, train_cfg__type=loop)
    interrupted(tiny_config, tmp_path / 'a', **options)
    lines = train(
        tiny_config, tmp_path / 'a', '--resume', **workers(1), **options
    )
    seed = torch.load(tmp_path / 'a/iter_3.pth', weights_only=False)['meta'][
        'seed'
    ]
    whole = train(
        tiny_config,
        tmp_path / 'b',
        randomness__seed=seed,
        train_cfg__type=loop,
    )
    assert lines[4:] == whole[3:]


def test_resume_from_a_path(tiny_config, tmp_path, whole):
    train(tiny_config, tmp_path)
    lines = train(tiny_config, tmp_path, '--resume', tmp_path / 'iter_3.pth')
    assert lines[6:] == whole[3:]


def test_resume_of_a_finished_run_changes_nothing(tiny_config, tmp_path):
    lines = train(tiny_config, tmp_path)
    assert train(tiny_config, tmp_path, '--resume') == lines


@pytest.mark.parametrize('args', [(), ('--resume',), ('--resume', 'auto')])
def test_the_first_start_keeps_the_initial_weights(
    tiny_config, tmp_path, args
):
    """--resume without a checkpoint keeps load_from."""
    burn_in = train(tiny_config, tmp_path / 'a', randomness__seed=5)
    lines = train(
        tiny_config,
        tmp_path / 'b',
        *args,
        load_from=tmp_path / 'a/iter_6.pth',
        optim_wrapper__optimizer__lr=0.0,
    )
    assert [line['iter'] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert {line['weights'] for line in lines} == {burn_in[-1]['weights']}


def test_resume_prefers_the_checkpoint_to_the_initial_weights(
    tiny_config, tmp_path
):
    burn_in = tmp_path / 'a/iter_6.pth'
    train(tiny_config, tmp_path / 'a', randomness__seed=5)
    interrupted(tiny_config, tmp_path / 'b', load_from=burn_in)
    lines = train(
        tiny_config,
        tmp_path / 'b',
        '--resume',
        load_from=burn_in,
        optim_wrapper__optimizer__lr=0.0,
        param_scheduler=[],
    )
    assert [line['iter'] for line in lines[4:]] == [4, 5, 6]


def test_the_checkpoint_holds_the_weights_of_its_iteration(
    tiny_config, tmp_path, whole
):
    train(tiny_config, tmp_path)
    for number in (3, 6):
        checkpoint = torch.load(
            tmp_path / f'iter_{number}.pth', weights_only=False
        )
        assert digest(checkpoint['state_dict']) == whole[number - 1]['weights']


def test_a_missing_checkpoint_is_one_sentence(tiny_config, tmp_path):
    with pytest.raises(SystemExit, match='checkpoint no.pth does not exist'):
        train(tiny_config, tmp_path, '--resume', 'no.pth')
