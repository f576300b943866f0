"""Runs that are killed, get a signal, or meet values that are not finite."""

import errno
import os
import re
from pathlib import Path

import mmdet
import pytest
import torch
from mmengine.runner import find_latest_checkpoint

from da_faster.engine.checkpoints import files as checkpoint_files
from da_faster.engine.checkpoints.files import DIGEST, find_damage
from da_faster.engine.hooks.preemption_hook import EXIT_CODE
from launching import TEACHER, call, derive, fork, fork_ranks, stream, train
from recorder import thread_names

pytestmark = pytest.mark.slow


def sabotaged(config, folder, at: int, what: str, rank: int = 0):
    """Adds a Saboteur to the config."""
    return derive(
        config,
        folder,
        'custom_hooks = _base_.custom_hooks + [dict('
        f'type="Saboteur", at={at}, what="{what}", rank={rank})]',
    )


def workers(number: int) -> dict:
    return dict(
        train_dataloader__num_workers=number,
        train_cfg__target_dataloader__num_workers=number,
    )


def by_iteration(work_dir, rank: int = 0) -> dict:
    """The recorder's lines by iteration; repeated iterations are equal."""
    lines = {}
    for line in stream(work_dir, rank):
        assert lines.setdefault(line['iter'], line) == line
    return lines


@pytest.fixture(scope='module')
def whole(tiny_config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('whole')
    assert fork(train, tiny_config, work_dir) == 0
    return by_iteration(work_dir)


@pytest.mark.parametrize(
    'at, what, num_workers',
    [
        (5, 'kill', 2),
        (3, 'kill in checkpoint', 0),
        (6, 'kill in checkpoint', 0),
        (6, 'kill in validation', 0),
    ],
)
def test_a_killed_run_ends_as_the_whole_run(
    tiny_config, tmp_path, whole, at, what, num_workers
):
    config = sabotaged(tiny_config, tmp_path, at, what)
    assert fork(train, config, tmp_path, **workers(num_workers)) == -9
    assert fork(train, tiny_config, tmp_path, '--resume') == 0
    assert by_iteration(tmp_path) == whole
    assert find_damage(str(tmp_path / 'iter_6.pth')) is None
    assert not list(tmp_path.glob('*.tmp'))


@pytest.mark.parametrize('at, what', [(2, 'kill'), (5, 'kill in checkpoint')])
def test_a_mean_teacher_that_is_killed(tiny_config, tmp_path, at, what):
    """The kill is before or after the end of the burn-in."""
    (tmp_path / 'whole').mkdir()
    config = derive(tiny_config, tmp_path / 'whole', TEACHER)
    options = dict(default_hooks__checkpoint__interval=1)
    assert fork(train, config, tmp_path / 'whole', **options) == 0
    broken = sabotaged(config, tmp_path, at, what)
    assert fork(train, broken, tmp_path / 'run', **options) == -9
    assert fork(train, config, tmp_path / 'run', '--resume', **options) == 0
    assert by_iteration(tmp_path / 'run') == by_iteration(tmp_path / 'whole')


def test_a_validation_that_was_killed_is_done_again(tiny_config, tmp_path):
    config = sabotaged(tiny_config, tmp_path, 6, 'kill in validation')
    assert fork(train, config, tmp_path) == -9
    for validated in (True, False):  # and done once only
        # Runs begun in one second share a log, so none may be there before.
        for log in tmp_path.glob('*/*.log'):
            log.unlink()
        assert fork(train, tiny_config, tmp_path, '--resume') == 0
        (log,) = tmp_path.glob('*/*.log')
        assert ('coco/bbox_mAP:' in log.read_text()) == validated
    assert len(stream(tmp_path)) == 6


def test_a_repeated_validation_is_asked_to_leave(tiny_config, tmp_path):
    config = sabotaged(tiny_config, tmp_path, 6, 'kill in validation')
    assert fork(train, config, tmp_path) == -9
    config = sabotaged(tiny_config, tmp_path, 6, 'signal in validation')
    assert fork(train, config, tmp_path, '--resume') == 0
    assert (tmp_path / 'last_validation').read_text() == '6'


@pytest.mark.parametrize('num_workers', [0, 2])
def test_a_run_that_is_asked_to_leave(
    tiny_config, tmp_path, whole, num_workers
):
    config = sabotaged(tiny_config, tmp_path, 2, 'signal')
    code = fork(train, config, tmp_path, **workers(num_workers))
    assert code == EXIT_CODE == 75
    assert find_latest_checkpoint(tmp_path) == str(tmp_path / 'iter_2.pth')
    (log,) = tmp_path.glob('*/*.log')
    assert re.search(
        r'SIGTERM: leaving after iteration 2, \S+/iter_2.pth is complete; '
        r'--resume auto continues. Exit code 75.',
        log.read_text(),
    )
    assert fork(train, tiny_config, tmp_path, '--resume') == 0
    # Iteration 2 has no line: the hook leaves before the recorder writes.
    assert {2: whole[2], **by_iteration(tmp_path)} == whole


@pytest.mark.parametrize(
    'what, name',
    [
        ('nan loss', r'loss_da_image = nan'),
        # Clipped in this config, which makes one all.
        ('nan gradient', 'the gradients of all weights'),
    ],
)
def test_a_step_that_is_not_finite_is_not_taken(
    tiny_config, tmp_path, what, name
):
    config = sabotaged(tiny_config, tmp_path, 5, what)
    with pytest.raises(SystemExit) as stop:
        train(config, tmp_path)
    sentence = str(stop.value)
    assert re.match(f'Iteration 5: not finite: .*{name}', sentence)
    assert sentence.endswith('No step was taken and no checkpoint written.')
    images = re.findall(r'/(source|target)/\w+_(\d)\.png', sentence)
    assert [domain for domain, _ in images] == [
        'source',
        'source',
        'target',
        'target',
    ]
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_3.pth']
    assert sentence in next(tmp_path.glob('*/*.log')).read_text()


@pytest.mark.parametrize('what', ['nan loss', 'nan gradient'])
def test_a_batch_that_is_skipped(tiny_config, tmp_path, what):
    config = sabotaged(tiny_config, tmp_path, 2, what)
    lines = train(config, tmp_path, default_hooks__non_finite__max_skips=1)
    weights = [line['weights'] for line in lines]
    assert weights[1] == weights[0] and len(set(weights)) == 5
    checkpoint = torch.load(tmp_path / 'iter_6.pth', weights_only=False)
    info = checkpoint['message_hub']['runtime_info']
    assert info['skipped_batches'] == 1
    with pytest.raises(SystemExit, match='1 batches were skipped before'):
        train(
            sabotaged(tiny_config, tmp_path, 7, what),
            tmp_path,
            '--resume',
            default_hooks__non_finite__max_skips=1,
            train_cfg__max_iters=8,
        )


def test_old_checkpoints_go_after_the_new_one_came(tiny_config, tmp_path):
    options = dict(
        default_hooks__checkpoint__interval=1,
        default_hooks__checkpoint__max_keep_ckpts=2,
    )
    config = sabotaged(tiny_config, tmp_path, 4, 'kill in checkpoint')
    assert fork(train, config, tmp_path, **options) == -9
    names = {path.name for path in tmp_path.glob('iter_*')}
    assert names == {f'iter_{i}.pth{d}' for i in (2, 3) for d in ('', DIGEST)}
    train(tiny_config, tmp_path, '--resume', **options)
    names = {path.name for path in tmp_path.glob('iter_*')}
    assert names == {f'iter_{i}.pth{d}' for i in (5, 6) for d in ('', DIGEST)}


def test_a_moved_work_dir_with_a_damaged_checkpoint(
    tiny_config, tmp_path, whole, capfd
):
    old, new = tmp_path / 'old', tmp_path / 'new'
    assert fork(train, tiny_config, old) == 0
    old.rename(new)
    content = (new / 'iter_6.pth').read_bytes()
    (new / 'iter_6.pth').write_bytes(content[:-1])
    capfd.readouterr()
    assert fork(train, tiny_config, new, '--resume') == 0
    assert (
        f'{new}/iter_6.pth does not match iter_6.pth.sha256; the resume '
        'takes the next older checkpoint.'
    ) in capfd.readouterr().out
    assert by_iteration(new) == whole
    assert len(stream(new)) == 9
    assert find_damage(str(new / 'iter_6.pth')) is None


@pytest.fixture(scope='module')
def both_ranks(tiny_config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('both')
    assert fork_ranks(train, tiny_config, work_dir) == [0, 0]
    return [by_iteration(work_dir, rank) for rank in range(2)]


def test_two_processes_of_which_one_is_killed(
    tiny_config, tmp_path, both_ranks
):
    config = sabotaged(tiny_config, tmp_path, 5, 'kill', rank=1)
    codes = fork_ranks(train, config, tmp_path)
    assert codes[1] == -9 and codes[0] != 0
    assert fork_ranks(train, tiny_config, tmp_path, '--resume') == [0, 0]
    assert [by_iteration(tmp_path, rank) for rank in range(2)] == both_ranks
    # Each process has data and random numbers of its own.
    assert both_ranks[0][1]['source'] != both_ranks[1][1]['source']


def test_two_processes_of_which_one_is_asked_to_leave(
    tiny_config, tmp_path, both_ranks
):
    config = sabotaged(tiny_config, tmp_path, 2, 'signal', rank=1)

    def leave(*args):
        try:
            train(*args)
        finally:
            # Or it may abort the program, whose exit code is then another.
            assert 'pt_gloo_runloop' not in thread_names()

    assert fork_ranks(leave, config, tmp_path) == [EXIT_CODE, EXIT_CODE]
    assert fork_ranks(train, tiny_config, tmp_path, '--resume') == [0, 0]
    for rank in range(2):
        lines = by_iteration(tmp_path, rank)
        assert {2: both_ranks[rank][2], **lines} == both_ranks[rank]


def test_a_full_disk(tiny_config, tmp_path, monkeypatch):
    train(tiny_config, tmp_path, train_cfg__max_iters=3)

    def refuse(descriptor: int) -> None:
        if 'iter_' in os.readlink(f'/proc/self/fd/{descriptor}'):
            raise OSError(errno.ENOSPC, 'No space left on device')

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint_files.os, 'fsync', refuse)
        with pytest.raises(
            SystemExit,
            match='the disk is full. Earlier checkpoints are kept; '
            '--resume auto continues',
        ):
            train(tiny_config, tmp_path, '--resume')
    names = sorted(path.name for path in tmp_path.glob('iter_*'))
    assert names == ['iter_3.pth', 'iter_3.pth.sha256']
    assert find_latest_checkpoint(tmp_path) == str(tmp_path / 'iter_3.pth')
    assert find_damage(str(tmp_path / 'iter_3.pth')) is None


def test_weights_that_are_not_finite_are_not_written(tiny_config, tmp_path):
    config = sabotaged(tiny_config, tmp_path, 6, 'nan weight')
    with pytest.raises(
        SystemExit,
        match='state_dict.rpn_head.rpn_cls.weight is not finite at '
        'iteration 6: no checkpoint is written',
    ):
        train(config, tmp_path)
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_3.pth']


def test_the_best_checkpoint_stays_until_a_better_one_came(
    tiny_config, tmp_path
):
    train(
        tiny_config,
        tmp_path,
        default_hooks__checkpoint__save_best='coco/bbox_mAP',
        default_hooks__checkpoint__rule='greater',
        train_cfg__val_interval=2,
    )
    best = list(tmp_path.glob('best_*.pth'))
    assert len(best) == 1
    assert find_damage(str(best[0])) is None
    assert len(list(tmp_path.glob('best_*'))) == 2


def test_mmdetections_own_tool_resumes_too(tiny_config, tmp_path, whole):
    tool = Path(mmdet.__file__).parent / '.mim/tools/train.py'
    if not tool.is_file():
        pytest.skip('MMDetection is installed without tools')
    assert fork(train, tiny_config, tmp_path, train_cfg__max_iters=3) == 0
    args = tiny_config, '--work-dir', tmp_path, '--resume'
    assert fork(call, tool, *args) == 0
    assert [line['iter'] for line in stream(tmp_path)] == [1, 2, 3, 4, 5, 6]
    assert by_iteration(tmp_path)[4]['source'] == whole[4]['source']
