"""Soaking a training, as short as it can be."""

import random

import pytest
import torch

from da_faster.engine.checkpoints.files import resume_candidates
from launching import start_fork, train
from speed.soak import differing, growth, soak


@pytest.mark.slow
def test_kills_at_random_moments(tiny_config, tmp_path):
    options = dict(
        train_cfg__max_iters=16,
        train_cfg__val_interval=8,
        train_dataloader__num_workers=2,
        default_hooks__checkpoint__interval=2,
        default_hooks__checkpoint__max_keep_ckpts=2,
    )

    def launch(name: str):
        return lambda: start_fork(
            train, tiny_config, tmp_path / name, '--resume', **options
        )

    random.seed(1)
    whole = soak(launch('whole'), 0, 0)
    killed = soak(launch('killed'), 4, whole.seconds / 2)
    # The others may find the run at its end: the first comes at its start.
    assert killed.kills >= 1
    paths = [
        resume_candidates(str(tmp_path / name))[0]
        for name in ('whole', 'killed')
    ]
    assert paths[0].endswith('iter_16.pth')
    assert differing(*paths) == []


def test_differences_are_found(tmp_path):
    for name, value in (('a', 1.0), ('b', 1 + 2**-23)):
        torch.save(
            dict(state_dict=dict(same=torch.ones(2), w=torch.tensor([value]))),
            tmp_path / name,
        )
    assert differing(tmp_path / 'a', tmp_path / 'b') == ['w']


def test_memory_that_grows_is_seen():
    assert growth([0, *range(100, 180)]) == (
        '130 MiB in the second quarter, 170 in the last'
    )
    assert growth([5]) == 'too short to tell'
