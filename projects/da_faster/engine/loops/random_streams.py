"""Random numbers that depend on the position in a training, not on its past.

A checkpoint holds no state of the random generators. Such a state would not
suffice: workers load ahead of the training, so their state depends on their
number and on when the run was killed. Instead, every sample is fetched under a
seed made of the run's seed, the domain, the rank and the sample's position in
the domain's endless stream. Any process that fetches the sample, at any time,
augments it in the same way.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import DataLoader, Sampler

from da_faster.engine.runner_internals import seed_differs_by_rank
from da_faster.errors import UserError, describe_error

# The second number of a seed's key says what the seed is for.
SOURCE, TARGET, STEP = range(3)


def seed_generators(*key: int) -> None:
    """Seeds Python, NumPy and torch (all devices) from a key."""
    words = _words(key)
    _seed_cpu(words)
    torch.manual_seed(words[2])


@contextmanager
def seeded(*key: int):
    """Seeds the CPU's generators in the context, restores them after it."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    # Not torch.manual_seed: it would also seed the accelerators. A worker
    # process does not use them, and would record a stack trace a sample.
    words = _words(key)
    _seed_cpu(words)
    torch.default_generator.manual_seed(words[2])
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])


def _words(key: Sequence[int]) -> list[int]:
    return np.random.SeedSequence(key).generate_state(3).tolist()


def _seed_cpu(words: list[int]) -> None:
    random.seed(words[0])
    np.random.seed(words[1])


class Draw(int):
    """An index that a sampler drew, with its ``position`` in the stream.

    A Draw is an int, so that batch samplers and datasets take it as an index.
    """

    def __new__(cls, index: int, position: int) -> 'Draw':
        draw = super().__new__(cls, index)
        draw.position = position
        return draw

    def __getnewargs__(self) -> tuple:  # for pickling to a worker
        return int(self), self.position


class PositionSampler(Sampler):
    """Numbers the indices that another sampler draws.

    Args:
        sampler (dict): Config of the other sampler.
        dataset (Sized): The dataset to draw from.
        seed (int, optional): Seed of the other sampler.
    """

    def __init__(
        self, sampler: dict, dataset, seed: int | None = None
    ) -> None:
        self.sampler = DATA_SAMPLERS.build(
            sampler, default_args=dict(dataset=dataset, seed=seed)
        )
        self.positions = itertools.count()

    def __iter__(self) -> Iterator[Draw]:
        # A sampler that ends is iterated again; the positions continue.
        return map(Draw, self.sampler, self.positions)

    def __len__(self) -> int:
        return len(self.sampler)

    def __getattr__(self, name: str) -> Any:  # dataset, set_epoch, ...
        if name == 'sampler':
            raise AttributeError(name)
        found = getattr(self.sampler, name)
        return self._skip if name == 'skip' else found

    def _skip(self, num_samples: int) -> None:
        # The loop checks for an attribute ``skip``. So there is one only if
        # the numbered sampler has it (MMEngine's InfiniteSampler).
        self.sampler.skip(num_samples)
        self.positions = itertools.count(num_samples)


class BadSample(UserError):
    """A sample of a dataset could not be loaded."""


class SeededFetch:
    """Fetches the samples of a batch, each under a seed of its own.

    Args:
        dataset (Dataset): The dataset.
        seed (int): Seed of the run.
        domain (int): SOURCE or TARGET.
    """

    def __init__(self, dataset, seed: int, domain: int) -> None:
        self.dataset = dataset
        self.seed = seed
        self.key = domain, get_rank()

    def __call__(self, draws: Sequence[Draw]) -> list:
        return [self.fetch(draw) for draw in draws]

    def fetch(self, draw: Draw) -> Any:
        with seeded(self.seed, *self.key, draw.position):
            try:
                return self.dataset[int(draw)]
            except Exception as error:
                # OpenCV's error for a damaged file does not name the file.
                raise BadSample(
                    f'{self.describe(int(draw))} could not be loaded '
                    f'({describe_error(error)}); repair the image, '
                    'its annotation or the pipeline, or take it out of the '
                    'data, then start again, with --resume auto where there '
                    'is a checkpoint.'
                ) from error

    def describe(self, index: int) -> str:
        """Path of the sample's image, or index and dataset if it has none."""
        try:
            return self.dataset.get_data_info(index)['img_path']
        except Exception:  # not a dataset of MMDetection
            return f'Sample {index} of {type(self.dataset).__name__}'


def run_seed(runner) -> int:
    """The seed that all ranks share."""
    if seed_differs_by_rank(runner):
        return runner.seed - get_rank()
    return runner.seed


def build_seeded_dataloader(
    runner, dataloader: dict, domain: int, sampler_seed: int
) -> DataLoader:
    """Builds a loader whose samples are augmented by their position.

    The dataset is not wrapped, so hooks and tools find its attributes.

    Args:
        runner (Runner): The runner.
        dataloader (dict): Config of the loader. A DataLoader that is already
            built is returned as it is.
        domain (int): SOURCE or TARGET.
        sampler_seed (int): Seed of the sampler.
    """
    if isinstance(dataloader, DataLoader):
        return dataloader
    loader = runner.build_dataloader(
        {
            **dataloader,
            'sampler': dict(
                type=PositionSampler, sampler=dataloader['sampler']
            ),
        },
        seed=sampler_seed,
    )
    # torch's loaders (since 2.0) fetch a whole batch by this method if the
    # dataset has it.
    loader.dataset.__getitems__ = SeededFetch(
        loader.dataset, run_seed(runner), domain
    )
    return loader


def reseed_dataloader(
    loader: DataLoader, seed: int, sampler_seed: int
) -> None:
    """Gives a loader another seed, before it is iterated.

    Args:
        loader (DataLoader): A loader of :func:`build_seeded_dataloader`;
            others are left as they are.
        seed (int): Seed of the run.
        sampler_seed (int): Seed of the sampler.
    """
    fetch = getattr(loader.dataset, '__getitems__', None)
    if isinstance(fetch, SeededFetch):
        fetch.seed = seed
        numbered = getattr(loader.batch_sampler, 'sampler', None)
        # MMEngine's samplers read their seed when they are first iterated.
        if isinstance(numbered, PositionSampler):
            numbered.sampler.seed = sampler_seed
