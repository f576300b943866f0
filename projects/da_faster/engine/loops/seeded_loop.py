"""IterBasedTrainLoop that a resume continues exactly."""

from collections.abc import Sequence

from mmengine.dist import get_rank
from mmengine.registry import LOOPS
from mmengine.runner import IterBasedTrainLoop
from torch.utils.data import DataLoader

from .random_streams import (
    SOURCE,
    STEP,
    build_seeded_dataloader,
    reseed_dataloader,
    run_seed,
    seed_generators,
)


@LOOPS.register_module()
class SeededTrainLoop(IterBasedTrainLoop):
    """IterBasedTrainLoop whose random numbers depend on the iteration alone.

    Every sample is loaded and augmented, and every step taken, under a seed
    of its own. So a run that was killed and resumed sees the images of an
    uninterrupted run and, if the kernels are deterministic, ends with the same
    weights, whatever its number of workers. A source-only run and an adapted
    one (DALoop) of the same seed see the same augmented images.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader or dict): The loader of IterBasedTrainLoop. It
            is only seeded if it is given as a config.
        *args, **kwargs: Arguments of IterBasedTrainLoop (``max_iters``, ...).
    """

    def __init__(
        self, runner, dataloader: DataLoader | dict, *args, **kwargs
    ) -> None:
        self._loaders_seed = run_seed(runner)
        super().__init__(
            runner,
            build_seeded_dataloader(
                runner, dataloader, SOURCE, run_seed(runner)
            ),
            *args,
            **kwargs,
        )

    def loaders(self) -> list[tuple[DataLoader, int]]:
        """The loaders, each with its sampler's seed minus the run's seed."""
        return [(self.dataloader, 0)]

    def take_over_seed(self) -> None:
        """Gives the loaders the seed of the run, before the first batch.

        A resume restores the seed after the loop was built. Every property
        that returns loaders or batches calls this method first, so that a
        subclass may replace the whole of ``run``.
        """
        seed = run_seed(self.runner)
        if seed != self._loaders_seed:
            self._loaders_seed = seed
            for loader, offset in self.loaders():
                reseed_dataloader(loader, seed, (seed + offset) % 2**32)

    @property
    def dataloader(self) -> DataLoader:
        """The loader of the source."""
        self.take_over_seed()
        return self._dataloader

    @dataloader.setter
    def dataloader(self, dataloader: DataLoader) -> None:
        self._dataloader = dataloader

    @property
    def dataloader_iterator(self):
        """The endless iterator over batches."""
        self.take_over_seed()
        return self._batches

    @dataloader_iterator.setter
    def dataloader_iterator(self, batches) -> None:
        self._batches = batches

    def run_iter(self, data_batch: Sequence[dict]) -> None:
        seed_generators(run_seed(self.runner), STEP, get_rank(), self.iter)
        super().run_iter(data_batch)
