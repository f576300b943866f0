"""Batches of both domains, and the check for labels in the target."""

import pytest
import torch
from mmengine.dataset import InfiniteSampler, pseudo_collate
from torch.utils.data import DataLoader, Dataset

from da_faster.engine.loops.da_loop import (
    TARGET_SEED_OFFSET,
    PairedIterator,
    check_unlabelled,
)


class Numbers(Dataset):
    """A dataset whose sample i is the number i."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, i: int) -> dict:
        return dict(inputs=torch.tensor(i), data_samples=i)


def loader(size: int, batch_size: int, seed: int, workers: int = 0):
    data = Numbers(size)
    return DataLoader(
        data,
        batch_size,
        sampler=InfiniteSampler(data, seed=seed),
        num_workers=workers,
        collate_fn=pseudo_collate,
    )


def pairs(seed_apart: int = TARGET_SEED_OFFSET, workers: int = 0):
    return PairedIterator(
        source=loader(10, 2, 0, workers),
        target=loader(10, 3, seed_apart, workers),
    )


def test_a_batch_holds_both_domains():
    batch = next(pairs())
    for key in ('inputs', 'data_samples'):
        assert {d: len(v) for d, v in batch[key].items()} == dict(
            source=2, target=3
        )


def test_equal_sized_sets_draw_apart():
    it = PairedIterator(
        source=loader(10, 1, 0), target=loader(10, 1, TARGET_SEED_OFFSET)
    )
    drawn = [next(it)['data_samples'] for _ in range(50)]
    same = sum(b['source'] == b['target'] for b in drawn)
    assert same < 15, 'chance gives 5 of 50'


def test_sets_of_different_length_never_end():
    it = PairedIterator(source=loader(3, 1, 0), target=loader(7, 2, 1))
    seen = [next(it)['data_samples'] for _ in range(40)]
    assert {i for b in seen for i in b['source']} == set(range(3))
    assert {i for b in seen for i in b['target']} == set(range(7))


@pytest.mark.parametrize('workers', [0, 1])
def test_skip_continues_where_the_stream_stood(workers):
    whole = pairs(workers=workers)
    stream = [next(whole)['data_samples'] for _ in range(12)]
    resumed = pairs(workers=workers)
    resumed.skip_iter(7)
    assert [next(resumed)['data_samples'] for _ in range(5)] == stream[7:]


class Labelled:
    def __len__(self) -> int:
        return 2

    def get_data_info(self, i: int) -> dict:
        return dict(img_path=f'{i}.png', instances=[{}] * i)


def test_labelled_target_is_refused():
    with pytest.raises(ValueError, match="1.png .* type='TargetDataset'"):
        check_unlabelled(Labelled())


def test_labels_inside_a_wrapper_are_seen():

    class Wrapper:
        dataset = Labelled()

    with pytest.raises(ValueError, match='TargetDataset'):
        check_unlabelled(Wrapper())


class Views(Numbers):
    """A dataset with two views of sample i, as MultiBranch gives them."""

    def __getitem__(self, i: int) -> dict:
        return dict(
            inputs=dict(target=torch.tensor(i), target_weak=torch.tensor(-i)),
            data_samples=dict(target=i, target_weak=-i),
        )


def test_views_of_an_image_keep_their_names():
    data = Views(10)
    target = DataLoader(
        data,
        3,
        sampler=InfiniteSampler(data, seed=1),
        collate_fn=pseudo_collate,
    )
    batch = next(PairedIterator(source=loader(10, 2, 0), target=target))
    for parts in batch.values():
        assert {k: len(v) for k, v in parts.items()} == dict(
            source=2, target=3, target_weak=3
        )
    samples = batch['data_samples']
    assert samples['target'] == [-i for i in samples['target_weak']]
