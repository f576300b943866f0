"""Is the target another set of images than the training?"""

import os.path as osp

from mmengine.config import Config

from da_faster.apis.detectors import images_below
from da_faster.data_check import DataReader, leaves
from da_faster.errors import UserError


def need_other_images(cfg: Config, target: str, name: str) -> None:
    """Looks whether a folder holds a config's own training images.

    Annotation files are read only where one folder is in the other.

    Args:
        cfg (Config): Its training images need not be there any more.
        target (str): A folder.
        name (str): Of the config, for messages.

    Raises:
        UserError: If all images of the target are training images.
    """
    folder = osp.realpath(target)
    loader = cfg.get('train_dataloader') or {}
    found: set[str] = set()
    for leaf in leaves(loader.get('dataset') or {}):
        own = osp.realpath(folder_of(leaf)) if folder_of(leaf) else ''
        if own == folder:
            refuse(target, name)
        if own and osp.commonpath([own, folder]) in (own, folder):
            reader = DataReader(cfg)
            reader.read_part('source', leaf)
            for part in reader.parts:
                found.update(map(osp.realpath, part.images))
    if found and found.issuperset(map(osp.realpath, images_below(target))):
        refuse(target, name)


def folder_of(dataset: dict) -> str:
    """What its file names are relative to, or ''."""
    prefix = (dataset.get('data_prefix') or {}).get('img') or ''
    return osp.join(dataset.get('data_root') or '', prefix)


def refuse(target: str, name: str) -> None:
    raise UserError(
        f'{target} holds the training images of {name}: give a folder of the '
        'domain to adapt to.'
    )
