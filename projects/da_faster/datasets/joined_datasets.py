"""Joins datasets that have the same classes."""

from mmdet.datasets import ConcatDataset
from mmdet.registry import DATASETS

from da_faster.errors import UserError


@DATASETS.register_module()
class JoinedDatasets(ConcatDataset):
    """MMDetection's ConcatDataset with one metainfo for all datasets.

    If metainfo differs between datasets, for example in the palette,
    ConcatDataset has a list of them. Checkpoints and DetInferencer cannot use
    such a list.

    Args:
        datasets (list[dict]): Configs of datasets with the same classes in
            the same order.
        metainfo (dict): Metainfo of the joined dataset.

    Raises:
        UserError: If a dataset has other classes or another order, so that
            its labels would mean other classes.
    """

    def __init__(self, datasets: list[dict], metainfo: dict) -> None:
        # ConcatDataset's __init__ is not called: it compares metainfo.
        self.datasets = [DATASETS.build(dataset) for dataset in datasets]
        for dataset in self.datasets:
            own = dataset.metainfo
            for part in own if isinstance(own, list) else [own]:
                if tuple(part['classes']) != tuple(metainfo['classes']):
                    raise UserError(
                        'JoinedDatasets: a dataset has the classes '
                        f'{part["classes"]}, metainfo has '
                        f'{metainfo["classes"]}: give them the same metainfo.'
                    )
        self._metainfo = dict(metainfo)
        self._fully_initialized = False
        self.full_init()
