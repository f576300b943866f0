"""Datasets of one list of classes, as one."""

from mmdet.datasets import ConcatDataset
from mmdet.registry import DATASETS

from da_faster.errors import UserError


@DATASETS.register_module()
class JoinedDatasets(ConcatDataset):
    """MMDetection's ConcatDataset, whatever its parts say of themselves.

    Where their metainfo differs, be it in a palette, ConcatDataset's is a
    list, which neither checkpoints nor DetInferencer take.

    Args:
        datasets (list[dict]): Each with the same classes in the same order.
        metainfo (dict): Of all.

    Raises:
        UserError: If one has other classes: its labels would be others.
    """

    def __init__(self, datasets: list[dict], metainfo: dict) -> None:
        # Not ConcatDataset's, which compares the parts.
        self.datasets = [DATASETS.build(dataset) for dataset in datasets]
        for dataset in self.datasets:
            own = dataset.metainfo
            for part in own if isinstance(own, list) else [own]:
                if tuple(part['classes']) != tuple(metainfo['classes']):
                    raise UserError(
                        'JoinedDatasets: a set has the classes '
                        f'{part["classes"]}, the whole {metainfo["classes"]}: '
                        'give them the same metainfo.'
                    )
        self._metainfo = dict(metainfo)
        self._fully_initialized = False
        self.full_init()
