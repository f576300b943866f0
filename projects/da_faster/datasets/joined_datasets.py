"""Datasets of one list of classes, as one."""

from mmdet.datasets import ConcatDataset
from mmdet.registry import DATASETS


@DATASETS.register_module()
class JoinedDatasets(ConcatDataset):
    """MMDetection's ConcatDataset, whatever its parts say of themselves.

    Where their metainfo differs, be it in a palette, ConcatDataset's is a
    list, which neither checkpoints nor DetInferencer take.

    Args:
        datasets (list[dict]): Each with the same classes in the same order.
        metainfo (dict): Of all.
    """

    def __init__(self, datasets: list[dict], metainfo: dict) -> None:
        # Not ConcatDataset's, which compares the parts.
        self.datasets = [DATASETS.build(dataset) for dataset in datasets]
        self._metainfo = dict(metainfo)
        self._fully_initialized = False
        self.full_init()
