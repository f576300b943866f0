"""Samples are augmented by their position, whoever fetches them and when."""

import pickle
import random
from itertools import islice

import numpy as np
import pytest
import torch
from mmdet.datasets.samplers import AspectRatioBatchSampler
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader, Dataset

from da_faster.engine.loops.random_streams import (
    SOURCE,
    STEP,
    TARGET,
    Draw,
    PositionSampler,
    SeededFetch,
    reseed_dataloader,
    seed_generators,
    seeded,
)

INFINITE = dict(type='InfiniteSampler')


def draw_numbers() -> tuple:
    """Draws one number of each generator that augmentations use."""
    return random.random(), np.random.rand(), torch.rand(()).item()


class Noise(Dataset):
    """A dataset whose sample i is i and three random numbers."""

    def __len__(self) -> int:
        return 7

    def __getitem__(self, i: int) -> tuple:
        assert type(i) is int
        return (i, *draw_numbers())

    def get_data_info(self, i: int) -> dict:
        return dict(width=i % 2, height=1 - i % 2)


def loader(workers: int, domain: int = SOURCE, **kwargs) -> DataLoader:
    data = Noise()
    data.__getitems__ = SeededFetch(data, 5, domain)
    sampler = PositionSampler(INFINITE, dataset=data, seed=5)
    kwargs = kwargs or dict(batch_size=2, sampler=sampler)
    return DataLoader(data, num_workers=workers, collate_fn=list, **kwargs)


def batches(loader: DataLoader, number: int) -> list:
    return list(islice(loader, number))


@pytest.mark.parametrize('workers', [1, 3])
def test_workers_augment_as_the_main_process_does(workers):
    assert batches(loader(workers), 6) == batches(loader(0), 6)


def test_the_past_does_not_matter():
    whole = batches(loader(0), 8)
    resumed = loader(2)
    resumed.sampler.skip(5 * 2)
    draw_numbers()
    assert batches(resumed, 3) == whole[5:]


def test_every_sample_is_augmented_anew():
    samples = sum(batches(loader(0), 14), [])
    assert len({i for i, *_ in samples}) == 7
    for column in list(zip(*samples))[1:]:
        assert len(set(column)) == len(samples) == 28


def test_fetching_leaves_the_generators_alone():
    seed_generators(3)
    expected = draw_numbers()
    seed_generators(3)
    loader(0).dataset.__getitems__([Draw(1, 0), Draw(2, 1)])
    assert draw_numbers() == expected
    with pytest.raises(ZeroDivisionError), seeded(1):
        raise ZeroDivisionError
    assert draw_numbers() != expected


@pytest.mark.parametrize(
    'other',
    [(4, STEP, 0, 9), (3, SOURCE, 0, 9), (3, STEP, 1, 9), (3, STEP, 0, 10)],
)
def test_each_part_of_the_key_matters(other):
    numbers = []
    for key in ((3, STEP, 0, 9), other, (3, STEP, 0, 9)):
        seed_generators(*key)
        numbers.append(draw_numbers())
    assert numbers[0] == numbers[2]
    assert all(a != b for a, b in zip(*numbers[:2]))


def test_the_domains_are_augmented_apart():
    source, target = batches(loader(0), 1), batches(loader(0, TARGET), 1)
    assert source[0][0][0] == target[0][0][0]
    assert source[0][0][1:] != target[0][0][1:]


def test_a_draw_is_an_index_that_can_be_pickled():
    draw = pickle.loads(pickle.dumps(Draw(4, 11)))
    assert draw == 4 and [10, 20, 30, 40, 50][draw] == 50
    assert draw.position == 11


def test_positions_continue_when_a_finite_sampler_starts_again():
    sampler = PositionSampler(
        dict(type='DefaultSampler', shuffle=False), dataset=range(3), seed=0
    )
    assert not hasattr(sampler, 'skip')
    sampler.set_epoch(1)
    drawn = [*sampler, *sampler]
    assert drawn == [0, 1, 2, 0, 1, 2] and len(sampler) == 3
    assert [draw.position for draw in drawn] == [0, 1, 2, 3, 4, 5]


def test_batch_samplers_of_mmdetection_look_through():
    data = Noise()
    sampler = PositionSampler(INFINITE, dataset=data, seed=5)
    grouped = AspectRatioBatchSampler(sampler, 2)
    whole = batches(loader(0, batch_sampler=grouped), 4)
    assert all((a[0] - b[0]) % 2 == 0 for a, b in whole)


def test_another_seed_before_the_first_batch():
    first, second = loader(0), loader(0)
    assert batches(first, 3) == batches(second, 3)
    third = loader(0)
    reseed_dataloader(third, 6, 7)
    numbers = [i for b in batches(third, 3) for i, *_ in b]
    assert numbers == [
        int(i)
        for i in islice(PositionSampler(INFINITE, dataset=Noise(), seed=7), 6)
    ]
    assert third.dataset.__getitems__.seed == 6


def test_an_unseeded_loader_is_left_alone():
    plain = DataLoader(Noise(), 2, collate_fn=pseudo_collate)
    reseed_dataloader(plain, 6, 7)
    assert len(batches(plain, 2)) == 2
