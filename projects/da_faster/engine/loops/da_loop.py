"""Training loops of domain adaptation, with and without a labelled source."""

from mmengine.registry import LOOPS
from torch.utils.data import DataLoader

from da_faster.engine.runner_internals import EndlessBatches

from .random_streams import TARGET, build_seeded_dataloader, run_seed
from .seeded_loop import SeededTrainLoop

# With one seed for both samplers, sets of equal size would draw the same index
# in both domains at every iteration. The offset is large, so that runs of
# seeds 0, 1, 2 do not share streams either.
TARGET_SEED_OFFSET = 1_000_003


class PairedIterator:
    """Endless iterator over batches that hold all domains.

    A batch is ``{'inputs': {domain: ...}, 'data_samples': {domain: ...}}``. A
    pipeline that ends with MMDetection's ``MultiBranch`` gives several views
    of each image. Their keys are the names of the branches, not the domain.

    Args:
        **dataloaders (DataLoader): Loaders by domain.
    """

    def __init__(self, **dataloaders: DataLoader) -> None:
        self.iterators = {
            domain: EndlessBatches(loader)
            for domain, loader in dataloaders.items()
        }

    def __iter__(self) -> 'PairedIterator':
        return self

    def __next__(self) -> dict:
        joint: dict = dict(inputs={}, data_samples={})
        for domain, iterator in self.iterators.items():
            batch = next(iterator)
            for key, parts in joint.items():
                views = batch[key]
                if not isinstance(views, dict):
                    views = {domain: views}
                parts.update(views)
        return joint

    def skip_iter(self, num_iters: int) -> None:
        """Skips the batches that were trained on before a resume."""
        for iterator in self.iterators.values():
            iterator.skip_iter(num_iters)


@LOOPS.register_module()
class DALoop(SeededTrainLoop):
    """SeededTrainLoop with a source and a target batch in each iteration.

    The source is the runner's ordinary ``train_dataloader``, so learning-rate
    scaling and every MMDetection tool work on it. Both loaders keep their own
    batch size, pipeline and workers; the sets may differ in length.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader or dict): The labelled source.
        target_dataloader (DataLoader or dict): The target. Its dataset must
            hold no instances, so that neither a loss nor a crop can depend on
            target labels: use ``TargetDataset``.
        *args, **kwargs: Arguments of SeededTrainLoop (``max_iters``, ...).
    """

    def __init__(
        self,
        runner,
        dataloader: DataLoader | dict,
        target_dataloader: DataLoader | dict,
        *args,
        **kwargs,
    ) -> None:
        super().__init__(runner, dataloader, *args, **kwargs)
        self.target_dataloader = build_seeded_dataloader(
            runner,
            target_dataloader,
            TARGET,
            (run_seed(runner) + TARGET_SEED_OFFSET) % 2**32,
        )
        check_unlabelled(self.target_dataloader.dataset)
        self.dataloader_iterator = PairedIterator(
            source=self.dataloader, target=self.target_dataloader
        )

    def loaders(self) -> list[tuple[DataLoader, int]]:
        return [
            *super().loaders(),
            (self.target_dataloader, TARGET_SEED_OFFSET),
        ]


@LOOPS.register_module()
class TargetLoop(SeededTrainLoop):
    """SeededTrainLoop over the target alone, for source-free adaptation.

    The target is the runner's ``train_dataloader``.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader or dict): The target. Its dataset must hold no
            instances: use ``TargetDataset``.
        *args, **kwargs: Arguments of SeededTrainLoop (``max_iters``, ...).
    """

    def __init__(
        self, runner, dataloader: DataLoader | dict, *args, **kwargs
    ) -> None:
        super().__init__(runner, dataloader, *args, **kwargs)
        check_unlabelled(self.dataloader.dataset)
        self.dataloader_iterator = PairedIterator(target=self.dataloader)

    @property
    def target_dataloader(self) -> DataLoader:
        """The loader of the target, which is the only one."""
        return self.dataloader


def check_unlabelled(dataset) -> None:
    """Raises a ValueError if a target image has labelled instances."""
    while not hasattr(dataset, 'get_data_info'):  # MultiImageMixDataset
        dataset = dataset.dataset
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        if info.get('instances'):
            raise ValueError(
                f'Target image {info["img_path"]} has '
                f'{len(info["instances"])} labelled instances. The target '
                'must be unlabelled in training: give its dataloader a '
                "dataset of type='TargetDataset', which reads a folder of "
                'images, or the images of a COCO json without the labels.'
            )
