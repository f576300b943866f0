"""Reads the datasets of a config, and collects findings about them."""

import json
import os.path as osp
from collections.abc import Sequence
from typing import NamedTuple

from mmdet.registry import DATASETS
from mmengine.config import Config

from da_faster.config_tree import dataloaders, unwrapped_datasets
from da_faster.datasets.class_names import dataset_classes
from da_faster.errors import UserError

from .parts import ROLES, Part

SUBSET = 'tools/dataset_converters/coco_subset.py'
MANY = 100  # files that one sentence names
# The converter for files of labels that are not COCO json, by their ending.
CONVERTERS = {
    '.csv': 'csv_table.py',
    '.txt': 'yolo.py',
    '.xml': 'voc.py',
    '.yaml': 'yolo.py',
}


class Finding(NamedTuple):
    """One sentence about the data.

    Args:
        fatal (bool): Whether the error makes the training worthless.
        text (str): What is wrong, where, and how to mend it.
    """

    fatal: bool
    text: str


def name_all(items: list[str], total: int) -> str:
    """Names every item, or one of them where all are wrong.

    Args:
        items (list[str]): What is wrong, at least one. Only the first ``MANY``
            are named.
        total (int): How many items could be wrong.
    """
    if len(items) == total > 1:
        return f'e.g. {items[0]}'
    more = len(items) - MANY
    return '; '.join(items[:MANY]) + (f'; and {more} more' if more > 0 else '')


class DataReader:
    """Reads annotation files and folders of images.

    Args:
        cfg (Config): The config.
        roles (Sequence[str]): The roles of the datasets to read.

    Attributes:
        findings (list[Finding]): Fatal ones and others.
        parts (list[Part]): The datasets that could be read.
    """

    def __init__(self, cfg: Config, roles: Sequence[str] = ROLES) -> None:
        self.cfg = cfg
        self.roles = roles
        self.findings: list[Finding] = []
        self.parts: list[Part] = []
        self._loaded: dict[str, dict | None] = {}

    def fatal(self, text: str) -> None:
        """Adds an error that makes the training worthless."""
        self.findings.append(Finding(True, text))

    def warn(self, text: str) -> None:
        """Adds a warning."""
        self.findings.append(Finding(False, text))

    def parts_of(self, role: str) -> list[Part]:
        """Returns the parts of one role."""
        return [part for part in self.parts if part.role == role]

    def read(self) -> None:
        """Fills ``parts``; what cannot be read becomes a finding."""
        loaders = dataloaders(self.cfg)
        if loaders.get('val') == loaders.get('test') and 'test' in self.roles:
            loaders.pop('val', None)
        for role, loader in loaders.items():
            if role not in self.roles:
                continue
            for dataset in unwrapped_datasets(loader):
                self.read_part(role, dataset)

    def read_part(self, role: str, dataset: dict) -> None:
        """Reads a dataset that has no other dataset inside."""
        root = dataset.get('data_root') or ''
        ann_file, folder = (
            path if not path or osp.isabs(path) else osp.join(root, path)
            for path in (
                dataset.get('ann_file') or '',
                (dataset.get('data_prefix') or {}).get('img') or '',
            )
        )
        folder = folder or root
        backend = (dataset.get('backend_args') or {}).get('backend', 'local')
        if backend != 'local':
            return  # the files are not on this machine
        content = images = None
        if ann_file:
            content = self._read_annotations(role, ann_file, dataset['type'])
            if content is not None:
                images = [
                    osp.join(folder, image['file_name'])
                    for image in content['images']
                ]
        elif dataset['type'] == 'TargetDataset':
            images = self._list_images(role, folder, dataset)
        else:
            self.fatal(f'{role}: {dataset["type"]} has no ann_file: set one.')
        if images is not None:
            self.parts.append(
                Part(role, dataset, ann_file, folder, content, images)
            )

    def _read_annotations(
        self, role: str, path: str, dataset_type: str
    ) -> dict | None:
        """Returns the content of a COCO file, or None after a finding."""
        ending = osp.splitext(path)[1].lower()
        if dataset_type == 'CocoDataset' and ending in CONVERTERS:
            self.fatal(
                f'{role} {path} is no COCO json file: convert it with '
                f'tools/dataset_converters/{CONVERTERS[ending]}.'
            )
        elif not osp.exists(path):
            self.fatal(
                f'{role} {path} does not exist: make it with '
                'tools/dataset_converters (docs/data.md), or correct '
                'data_root and ann_file.'
            )
        elif ending != '.json':
            self.warn(
                f'{role} {path}: only COCO json files are checked; convert '
                'it (tools/dataset_converters) to have its boxes checked.'
            )
        else:
            return self._load(role, path, dataset_type)
        return None

    def _load(self, role: str, path: str, dataset_type: str) -> dict | None:
        """Loads a COCO file once; returns None where the file is broken."""
        if path not in self._loaded:
            self._loaded[path] = None
            try:
                with open(path, encoding='utf-8') as file:
                    content = json.load(file)
                if dataset_type == 'LVISV1Dataset':  # has no file names
                    for image in content['images']:
                        image['file_name'] = image['coco_url'].removeprefix(
                            'http://images.cocodataset.org/'
                        )
                [(i['id'], i['file_name']) for i in content['images']]
                self._loaded[path] = content
            except (OSError, ValueError) as error:
                self.fatal(
                    f'{role} {path} is not whole json ({error}): '
                    'convert it again.'
                )
            except (KeyError, TypeError) as error:
                self.fatal(
                    f'{role} {path} has no list of images with id and '
                    f'file_name ({error!r}): it is not a COCO file.'
                )
        return self._loaded[path]

    def _list_images(
        self, role: str, folder: str, dataset: dict
    ) -> list[str] | None:
        """Lists the images of a TargetDataset, or adds a finding."""
        if not osp.isdir(folder):
            self.fatal(
                f'{role} {folder} is not a folder: set data_root '
                'and data_prefix=dict(img=...) of the '
                f'{role} to where its images are.'
            )
            return None
        try:
            built = DATASETS.build(dict(dataset, pipeline=[], lazy_init=True))
            return [item['img_path'] for item in built.load_data_list()]
        except ValueError as error:
            self.fatal(f'{role}: {error}.')
            return None

    def classes_of(self, part: Part) -> tuple | None:
        """Returns the class names of a part, or None after a finding."""
        try:
            return dataset_classes(part.cfg)
        except UserError as error:
            self.fatal(f'{part.role}: {error}')
            return None
