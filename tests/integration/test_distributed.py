"""Several processes on CPUs, over gloo."""

import json

import pytest
import torch

from launching import (
    TEACHER,
    TOOLS,
    average_precision,
    derive,
    evaluate,
    finish,
    free_port,
    start,
    stream,
)
from recorder import digest

pytestmark = pytest.mark.slow


def check_two_ranks(work_dir) -> None:
    """Two ranks see different data, share one model, and save that model."""
    ranks = stream(work_dir, 0), stream(work_dir, 1)
    assert [len(lines) for lines in ranks] == [6, 6]
    for domain in ('source', 'target'):
        drawn = [
            i for line in zip(*ranks) for rank in line for i in rank[domain]
        ]
        for epoch in (drawn[:8], drawn[8:16], drawn[16:]):
            assert sorted(epoch) == list(range(8))
    for first, second in zip(*ranks):
        assert first['weights'] == second['weights']
    weights = torch.load(work_dir / 'iter_6.pth', weights_only=False)[
        'state_dict'
    ]
    assert digest(weights) == ranks[0][-1]['weights']


def check_no_thread_left(work_dir) -> None:
    """A thread of gloo may abort the program when the interpreter ends."""
    for rank in range(2):
        names = json.loads((work_dir / f'threads_{rank}.json').read_text())
        assert names and not [name for name in names if 'gloo' in name]


def test_two_processes_train_and_test(tiny_config, tmp_path):
    work_dir = tmp_path / 'train'
    finish(
        start(
            TOOLS / 'dist_train.sh',
            tiny_config,
            2,
            '--work-dir',
            work_dir,
            PORT=free_port(),
        )
    )
    check_two_ranks(work_dir)
    check_no_thread_left(work_dir)

    checkpoint = work_dir / 'iter_6.pth'
    finish(
        start(
            TOOLS / 'dist_test.sh',
            tiny_config,
            checkpoint,
            2,
            '--work-dir',
            tmp_path / 'test',
            PORT=free_port(),
        )
    )
    check_no_thread_left(tmp_path / 'test')
    single = evaluate(tiny_config, checkpoint, tmp_path / 'single')
    assert average_precision(work_dir) == single > 0
    assert average_precision(tmp_path / 'test') == single


def test_two_processes_share_what_a_teacher_learned(tiny_config, tmp_path):
    """A resume continues with the shared statistics."""
    config = derive(
        tiny_config, tmp_path, TEACHER + 'find_unused_parameters = True\n'
    )
    checkpoints = []
    for folder, stops in (('whole', [6]), ('parts', [4, 6])):
        for stop in stops:
            finish(
                start(
                    TOOLS / 'dist_train.sh',
                    config,
                    2,
                    '--work-dir',
                    tmp_path / folder,
                    '--resume',
                    '--cfg-options',
                    'default_hooks.checkpoint.interval=1',
                    f'train_cfg.max_iters={stop}',
                    PORT=free_port(),
                )
            )
        ranks = [stream(tmp_path / folder, rank) for rank in range(2)]
        for first, second in zip(*ranks):
            assert first['weights'] == second['weights']
        checkpoints.append(
            torch.load(tmp_path / folder / 'iter_6.pth', weights_only=False)
        )
    whole, parts = [digest(c['state_dict']) for c in checkpoints]
    assert whole == parts
    state = checkpoints[0]['state_dict']
    assert state['pseudo_labels.statistics.source_images'] == 6 * 2 * 2
    assert state['pseudo_labels.statistics.target_images'] == 4 * 2 * 2


def test_two_machines(tiny_config, tmp_path):
    options = dict(NNODES='2', MASTER_ADDR='127.0.0.1', PORT=free_port())
    finish(
        *[
            start(
                TOOLS / 'dist_train.sh',
                tiny_config,
                1,
                '--work-dir',
                tmp_path,
                NODE_RANK=str(rank),
                **options,
            )
            for rank in range(2)
        ]
    )
    check_two_ranks(tmp_path)
