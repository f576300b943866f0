"""The datasets of a config, as their files tell."""

import json
import os.path as osp
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.fileio import list_from_file

from da_faster.config_tree import dataloaders, leaves
from da_faster.errors import UserError

ROLES = ('source', 'target', 'test', 'val')
SUBSET = 'tools/dataset_converters/coco_subset.py'


MANY = 100  # files that one sentence names
# What reads other files of labels.
CONVERTERS = {
    '.csv': 'csv_table.py',
    '.txt': 'yolo.py',
    '.xml': 'voc.py',
    '.yaml': 'yolo.py',
}


class Finding(NamedTuple):
    """One sentence; a fatal one makes the training worthless."""

    fatal: bool
    text: str


class Part(NamedTuple):
    """One dataset of the config, without its wrappers.

    Args:
        role: source, target, test or (where it is another one) val.
        cfg: Its config.
        ann_file: Path of the annotation file, or ''.
        folder: What file names are relative to.
        content: The COCO annotations; None for a folder.
        images: Paths of the images.
    """

    role: str
    cfg: dict
    ann_file: str
    folder: str
    content: dict | None
    images: list[str]

    @property
    def where(self) -> str:
        return f'{self.role} {self.ann_file or self.folder}'

    @property
    def by_detector(self) -> bool:
        """Whether a detector made the labels."""
        return by_detector(self.content or {})

    def describe(self, used=None) -> str:
        """One line: images, labels and where they come from.

        Args:
            used (Sequence[bool], optional): For each annotation, whether
                training or evaluation uses it; None: all are counted.
        """
        items = (self.content or {}).get('annotations') or ()
        if self.role == 'target':
            labels = 'no labels'
            if items:
                labels = f'{len(items)} annotations, which are never read'
        elif self.content is None:
            labels = 'no labels: to predict on'
        else:
            names = {
                c.get('id'): c.get('name')
                for c in self.content.get('categories', ())
            }
            counted = (
                [item for item, use in zip(items, used) if use]
                if used is not None
                else items
            )
            counts = Counter(
                names.get(item.get('category_id')) for item in counted
            )
            labels = (
                f'{sum(counts.values())} boxes ('
                + ', '.join(
                    f'{name} {counts[name]}' for name in names.values()
                )
                + ')'
            )
            if len(counted) < len(items):
                labels += f', {len(items) - len(counted)} others unused'
        place = (
            self.folder
            if not self.ann_file
            else (f'{self.ann_file}, images below {self.folder}')
        )
        return f'{self.role}: {len(self.images)} images, {labels}; {place}'


def name_all(items: list[str], total: int) -> str:
    """Every item, or one of them where nothing else is right.

    Args:
        items (list[str]): At least one; of more than ``MANY`` the first ones.
        total (int): How many there could be.
    """
    if len(items) == total > 1:
        return f'e.g. {items[0]}'
    more = len(items) - MANY
    return '; '.join(items[:MANY]) + (f'; and {more} more' if more > 0 else '')


class DataReader:
    """Reads what annotation files and folders say.

    Args:
        cfg: The config.
        roles: Which parts to read.

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
        self.findings.append(Finding(True, text))

    def warn(self, text: str) -> None:
        self.findings.append(Finding(False, text))

    def of(self, role: str) -> list[Part]:
        return [part for part in self.parts if part.role == role]

    def read(self) -> None:
        """Fills ``parts``."""
        loaders = dataloaders(self.cfg)
        if loaders.get('val') == loaders.get('test') and 'test' in self.roles:
            loaders.pop('val', None)
        for role, loader in loaders.items():
            if role not in self.roles:
                continue
            for leaf in leaves(loader):
                self.read_part(role, leaf)

    def read_part(self, role: str, leaf: dict) -> None:
        root = leaf.get('data_root') or ''
        ann_file, folder = (
            path if not path or osp.isabs(path) else osp.join(root, path)
            for path in (
                leaf.get('ann_file') or '',
                (leaf.get('data_prefix') or {}).get('img') or '',
            )
        )
        folder = folder or root
        backend = (leaf.get('backend_args') or {}).get('backend', 'local')
        if backend != 'local':
            return  # the files are not on this machine
        content = None
        if ann_file:
            ending = osp.splitext(ann_file)[1].lower()
            if leaf['type'] == 'CocoDataset' and ending in CONVERTERS:
                self.fatal(
                    f'{role} {ann_file} is no COCO json file: convert it with '
                    f'tools/dataset_converters/{CONVERTERS[ending]}.'
                )
                return
            if not osp.exists(ann_file):
                self.fatal(
                    f'{role} {ann_file} does not exist: make it with '
                    'tools/dataset_converters (docs/data.md), or correct '
                    'data_root and ann_file.'
                )
                return
            if ending != '.json':
                self.warn(
                    f'{role} {ann_file}: only COCO json files are '
                    'checked; convert it (tools/dataset_converters) to '
                    'have its boxes looked at.'
                )
                return
            content = self.load(role, ann_file, leaf['type'])
            if content is None:
                return
            images = [
                osp.join(folder, image['file_name'])
                for image in content['images']
            ]
        elif leaf['type'] == 'TargetDataset':
            if not osp.isdir(folder):
                self.fatal(
                    f'{role} {folder} is not a folder: set data_root '
                    'and data_prefix=dict(img=...) of the '
                    f'{role} to where its images are.'
                )
                return
            try:
                dataset = DATASETS.build(
                    dict(leaf, pipeline=[], lazy_init=True)
                )
                images = [i['img_path'] for i in dataset.load_data_list()]
            except ValueError as error:
                self.fatal(f'{role}: {error}.')
                return
        else:
            self.fatal(f'{role}: its {leaf["type"]} has no ann_file; set one.')
            return
        self.parts.append(Part(role, leaf, ann_file, folder, content, images))

    def classes_of(self, part: Part) -> tuple | None:
        """Class names of the dataset in the config's order."""
        try:
            return dataset_classes(part.cfg)
        except UserError as error:
            self.fatal(f'{part.role}: {error}')
            return None

    def load(self, role: str, path: str, kind: str) -> dict | None:
        """Content of a COCO file; None, and a finding, where it is broken."""
        if path not in self._loaded:
            self._loaded[path] = None
            try:
                with open(path, encoding='utf-8') as file:
                    content = json.load(file)
                if kind == 'LVISV1Dataset':  # which has no file names
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


def by_detector(content: dict) -> bool:
    """Whether a COCO file holds pseudo-labels, as pseudo_label.py notes."""
    info = content.get('info')
    return isinstance(info, dict) and 'pseudo_labels' in info


def dataset_classes(dataset: dict) -> tuple:
    """Class names of a dataset's config, in its order; () where it has none.

    Raises:
        UserError: If they are a text, and no file is called so.
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
