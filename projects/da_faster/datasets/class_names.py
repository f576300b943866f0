"""Names of the classes of a dataset in a config."""

import os.path as osp

from mmdet.registry import DATASETS
from mmengine.fileio import list_from_file

from da_faster.errors import UserError


def dataset_classes(dataset: dict) -> tuple:
    """Returns the class names of a dataset's config, in the config's order.

    Returns:
        tuple[str]: The names; empty where the config has none.

    Raises:
        UserError: If ``classes`` is a text that is not the path of a file.
    """
    classes = (dataset.get('metainfo') or {}).get('classes')
    if classes is None:
        cls = DATASETS.get(dataset['type'])
        classes = getattr(cls, 'METAINFO', {}).get('classes') or ()
    if isinstance(classes, str):
        if not osp.isfile(classes):
            raise UserError(
                f'classes is the text {classes!r}; write '
                f'classes=({classes!r}, ) with a comma.'
            )
        classes = list_from_file(classes)
    return tuple(classes)
