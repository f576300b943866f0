"""Compares the images of the target with the training images."""

import copy
import os
import os.path as osp
from collections import defaultdict
from collections.abc import Iterable

from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.logging import print_log

from da_faster.config_files import enter_scope
from da_faster.config_tree import image_folder, unwrapped_datasets
from da_faster.data_check import DataReader
from da_faster.datasets.target_dataset import images_below
from da_faster.detectors import Detector
from da_faster.errors import UserError
from da_faster.files import file_sha256


def check_other_images(detector: Detector, target: str) -> int:
    """Checks that a folder has images that a detector was not trained on.

    Where one folder is in the other, the annotations say which images are
    trained on. Elsewhere files of one size are compared, so that copies are
    found, too.

    Args:
        detector (Detector): A detector, whose training images may be gone.
        target (str): A folder.

    Returns:
        int: The number of training images in the folder.

    Raises:
        UserError: If all images of the folder are training images.
    """
    images = {osp.realpath(path) for path in images_below(target)}
    folder = osp.realpath(target)
    shared: set[str] = set()
    for dataset in unwrapped_datasets(detector.source):
        own = osp.realpath(image_folder(dataset) or os.sep)
        if osp.commonpath([own, folder]) in (own, folder):
            used = trained_on(dataset, detector.config)
            if used is None:
                used = files_below(own) if own == folder else ()
            shared |= images.intersection(map(osp.realpath, used))
        elif found := copies(images, files_below(own)):
            # The annotations are read only now: a large set takes long.
            used = trained_on(dataset, detector.config)
            shared |= found if used is None else copies(found, used)
    if shared == images:
        raise UserError(
            f'{target} holds the training images of {detector.name}: give a '
            'folder of the domain to adapt to.'
        )
    if shared:
        print_log(
            f'{len(shared)} of {len(images)} images of {target} are training '
            f'images of {detector.name}',
            'current',
        )
    return len(shared)


def trained_on(dataset: dict, cfg: Config) -> list[str] | None:
    """Lists the training images of a dataset; None if they cannot be listed.

    Images that a detector labelled, and an adaptation's ``target_labels``, are
    images of the target and not of the training.
    """
    enter_scope(cfg)
    few = (cfg.get('adaptation') or {}).get('target_labels')
    if few and dataset.get('ann_file') == few:
        return []
    reader = DataReader(cfg)
    reader.read_part('source', dataset)
    if any(part.by_detector for part in reader.parts):
        return []
    bare = dict(copy.deepcopy(dataset), pipeline=[], lazy_init=False)
    try:
        built = DATASETS.build(bare)
        return [built.get_data_info(i)['img_path'] for i in range(len(built))]
    except Exception:
        return None


def copies(images: Iterable[str], others: Iterable[str]) -> set[str]:
    """Finds the images whose content is also among other files."""
    by_size = defaultdict(list)
    for path in filter(readable, images):
        by_size[osp.getsize(path)].append(path)
    by_content = defaultdict(set)  # (hash, image) for sizes that both have
    found: set[str] = set()
    for path in filter(readable, others):
        size = osp.getsize(path)
        if size not in by_size and size not in by_content:
            continue
        for image in by_size.pop(size, ()):
            by_content[size].add((file_sha256(image), image))
        content = file_sha256(path)
        found.update(x for same, x in by_content[size] if same == content)
    return found


def readable(path: str) -> bool:
    """Whether a path is a file to read; the data check reports others."""
    return osp.isfile(path) and os.access(path, os.R_OK)


def files_below(folder: str) -> list[str]:
    """Lists all files below a folder, behind links too."""
    found, seen = [], set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        if osp.realpath(parent) in seen:
            folders.clear()
            continue
        seen.add(osp.realpath(parent))
        found += [osp.join(parent, name) for name in names]
    return [path for path in found if osp.isfile(path)]
