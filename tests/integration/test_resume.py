"""A run that was interrupted goes on where it stopped."""
import pytest
import torch
from recorder import digest
from launching import train


def seen(lines: list) -> list:
    """What is to be the same after a resume."""
    return [{k: line[k]
             for k in ('iter', 'lr', 'source', 'target')} for line in lines]


def interrupted(config, work_dir, **options) -> None:
    """Stops after 4 iterations; the last checkpoint is of iteration 3."""
    with pytest.raises(SystemExit, match='stopped'):
        train(config, work_dir, custom_hooks__0__stop_after=4, **options)


@pytest.fixture(scope='module')
def whole(tiny_config, tmp_path_factory):
    return train(tiny_config, tmp_path_factory.mktemp('whole'))


@pytest.mark.slow
@pytest.mark.parametrize('workers', [0, 1])
def test_a_resumed_run_sees_the_same_data(tiny_config, tmp_path, whole,
                                          workers):
    options = dict(
        train_dataloader__num_workers=workers,
        train_cfg__target_dataloader__num_workers=workers)
    interrupted(tiny_config, tmp_path, **options)
    lines = train(tiny_config, tmp_path, '--resume', 'auto', **options)
    assert seen(lines[:4]) == seen(whole[:4])
    assert seen(lines[4:]) == seen(whole[3:])


@pytest.mark.slow
@pytest.mark.xfail(
    strict=True, reason='samplers are built before the seed is restored')
def test_a_run_with_a_drawn_seed_resumes_with_it(tiny_config, tmp_path):
    options = dict(randomness__seed=None)
    interrupted(tiny_config, tmp_path / 'a', **options)
    lines = train(tiny_config, tmp_path / 'a', '--resume', **options)
    seed = torch.load(
        tmp_path / 'a/iter_3.pth', weights_only=False)['meta']['seed']
    whole = train(tiny_config, tmp_path / 'b', randomness__seed=seed)
    assert seen(lines[4:]) == seen(whole[3:])


def test_resume_from_a_path(tiny_config, tmp_path, whole):
    train(tiny_config, tmp_path)
    lines = train(tiny_config, tmp_path, '--resume', tmp_path / 'iter_3.pth')
    assert seen(lines[6:]) == seen(whole[3:])


def test_resume_of_a_finished_run_changes_nothing(tiny_config, tmp_path):
    lines = train(tiny_config, tmp_path)
    assert train(tiny_config, tmp_path, '--resume') == lines


@pytest.mark.parametrize('args', [(), ('--resume', ), ('--resume', 'auto')])
def test_the_first_start_keeps_the_initial_weights(tiny_config, tmp_path,
                                                   args):
    """Also with --resume, which has nothing to resume yet."""
    burn_in = train(tiny_config, tmp_path / 'a', randomness__seed=5)
    lines = train(
        tiny_config,
        tmp_path / 'b',
        *args,
        load_from=tmp_path / 'a/iter_6.pth',
        optim_wrapper__optimizer__lr=0.)
    assert [line['iter'] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert {line['weights'] for line in lines} == {burn_in[-1]['weights']}


def test_resume_prefers_the_checkpoint_to_the_initial_weights(
        tiny_config, tmp_path):
    burn_in = tmp_path / 'a/iter_6.pth'
    train(tiny_config, tmp_path / 'a', randomness__seed=5)
    interrupted(tiny_config, tmp_path / 'b', load_from=burn_in)
    lines = train(
        tiny_config,
        tmp_path / 'b',
        '--resume',
        load_from=burn_in,
        optim_wrapper__optimizer__lr=0.,
        param_scheduler=[])
    assert [line['iter'] for line in lines[4:]] == [4, 5, 6]


def test_the_checkpoint_holds_the_weights_of_its_iteration(
        tiny_config, tmp_path, whole):
    train(tiny_config, tmp_path)
    for number in (3, 6):
        checkpoint = torch.load(
            tmp_path / f'iter_{number}.pth', weights_only=False)
        assert digest(
            checkpoint['state_dict']) == whole[number - 1]['weights']


def test_a_missing_checkpoint_is_one_sentence(tiny_config, tmp_path):
    with pytest.raises(SystemExit, match='checkpoint no.pth does not exist'):
        train(tiny_config, tmp_path, '--resume', 'no.pth')
