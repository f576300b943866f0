"""Checks the data of a config without decoding an image.

The checks take about as long as reading the annotation files.
"""

import os
import os.path as osp
from collections.abc import Sequence

import numpy as np
from mmengine.config import Config

from da_faster.config_tree import all_steps, head_classes

from .boxes import check_boxes
from .evaluation import check_evaluation, is_scored
from .overlap import OverlapCheck
from .parts import ROLES, Part
from .reader import SUBSET, DataReader, name_all
from .shares import check_shares


class Checker(DataReader):
    """Reads the parts of a config and collects findings about them.

    Args:
        cfg (Config): A train config.
        roles (Sequence[str]): The roles of the datasets to check.

    Attributes:
        overlap (OverlapCheck): Compares the images of the parts.
        used (dict[int, np.ndarray]): By the index of a part, which of its
            annotations training or evaluation uses.
    """

    def __init__(self, cfg: Config, roles: Sequence[str] = ROLES) -> None:
        super().__init__(cfg, roles)
        self.overlap = OverlapCheck(self)
        self.used: dict[int, np.ndarray | None] = {}

    def describe(self) -> list[str]:
        """Describes each part on a line; only boxes that are used count."""
        return [
            part.describe(self.used.get(i))
            for i, part in enumerate(self.parts)
        ]

    def check_files(self, part: Part) -> None:
        """Finds images that do not exist or that are listed twice."""
        listed = {}
        missing = []
        for path in part.images:
            folder, name = osp.split(path)
            if folder not in listed:
                try:
                    listed[folder] = set(os.listdir(folder))
                except OSError:
                    listed[folder] = set()
            if name not in listed[folder]:
                missing.append(path)
        if missing:
            advice = 'correct data_prefix, or complete the download'
            if part.content is not None and '\\' in missing[0]:
                advice = f"these are Windows' names: convert it with {SUBSET}"
            self.fatal(
                f'{part.where}: {len(missing)} of {len(part.images)} images '
                f'do not exist: {name_all(missing, len(part.images))}; '
                f'{advice}.'
            )
        if not part.images:
            self.fatal(f'{part.where} lists no image: convert it again.')
        if part.content is not None:
            ids = [image['id'] for image in part.content['images']]
            if len(set(ids)) < len(ids):
                self.fatal(
                    f'{part.where} has {len(ids) - len(set(ids))} image ids '
                    'twice, and only the last of each would be used: number '
                    'the images anew.'
                )
        twice = len(part.images) - len(set(part.images))
        if twice:
            self.warn(
                f'{part.where} lists {twice} images more than once: '
                'convert it again.'
            )

    def check_classes(self, part: Part, classes: tuple) -> bool:
        """Compares the classes of the file with those of the config.

        CocoDataset and CocoMetric number the classes in the order of the
        file's categories, the detector and the log in the order of the config.
        Another order gives boxes another class. A missing class shifts all
        that follow.

        Returns:
            bool: Whether names and order agree.
        """
        categories = part.content.get('categories') or []
        names = [category.get('name') for category in categories]
        ids = [category.get('id') for category in categories]
        wanted = ' '.join(classes)
        missing = [name for name in classes if name not in names]
        if missing:
            self.fatal(
                f'{part.where} has no category {missing[0]!r}: the config has '
                f'{wanted}, the file {" ".join(map(str, names)) or "none"}; '
                "correct classes, rename the file's with "
                f'{SUBSET} --classes LABEL=CLASS ..., or, where none of its '
                'images shows one, complete "categories" in the config\'s '
                'order.'
            )
            return False
        order = tuple(name for name in names if name in classes)
        if len(set(ids)) < len(ids) or len(set(order)) < len(order):
            self.fatal(
                f'{part.where} lists a category id or name twice: '
                f'clean it with {SUBSET}.'
            )
        elif order != classes:
            self.fatal(
                f'{part.where} has its categories in the order '
                f'{" ".join(order)}, the config in the order {wanted}, so '
                'boxes would get the wrong class; write classes in the '
                f"file's order, or use {SUBSET} --classes {wanted}"
            )
        return not missing and order == classes and len(set(ids)) == len(ids)

    def check_masks(self, part: Part) -> None:
        """Finds boxes without a mask where the pipeline loads masks."""
        steps = all_steps(part.cfg.get('pipeline') or ())
        if not any(step.get('with_mask') for step in steps):
            return
        items = part.content.get('annotations') or []
        bare = [i for i in items if not i.get('segmentation')]
        # LoadAnnotations ignores an object without such a polygon.
        thin = [
            i
            for i in items
            if isinstance(i.get('segmentation'), list)
            and i['segmentation']
            and not any(
                len(p) >= 6 and len(p) % 2 == 0 for p in i['segmentation']
            )
        ]
        for some, what in (
            (bare, 'no mask'),
            (thin, 'no polygon of 3 points'),
        ):
            if some:
                self.fatal(
                    f'{part.where}: {len(some)} of {len(items)} boxes have '
                    f'{what}, e.g. annotation {some[0].get("id")}, but '
                    'its pipeline has with_mask=True: give a file with '
                    'segmentation, or train a detector without masks.'
                )

    def check_heads(self, classes: tuple) -> None:
        """Finds heads whose number of classes is not that of the config."""
        for path, number in head_classes(self.cfg.get('model') or {}):
            if number != len(classes):
                self.fatal(
                    f'{path}={number} in the model, but the config '
                    f'has {len(classes)} classes '
                    f'({" ".join(classes)}): set it to '
                    f'{len(classes)}.'
                )

    def check_target(self, part: Part) -> None:
        """Finds a target that would be trained on with labels."""
        labels = len((part.content or {}).get('annotations') or ())
        if part.cfg['type'] != 'TargetDataset' and labels:
            self.fatal(
                f'{part.where} is a {part.cfg["type"]} and comes with '
                f'{labels} labels, but the target must be unlabelled '
                "in training: make it type='TargetDataset'."
            )
        steps = [step['type'] for step in part.cfg.get('pipeline') or ()]
        if 'LoadAnnotations' in steps:
            self.warn(
                f'{part.where}: its pipeline has LoadAnnotations, which '
                'finds nothing in the target: take it out.'
            )

    def run(self) -> None:
        """Reads the parts and runs all checks that need no image."""
        self.read()
        by_role = {}
        for i, part in enumerate(self.parts):
            self.check_files(part)
            if part.role == 'target':
                self.check_target(part)
                continue
            classes = self.classes_of(part)
            if classes is None or part.content is None:
                continue
            first = by_role.setdefault(part.role, classes)
            if part.role == 'source' and classes != first:
                self.fatal(
                    f'{part.where} has the classes {" ".join(classes)}, and '
                    f'the first set of the source {" ".join(first)}: give '
                    'both the same metainfo.'
                )
            self.check_masks(part)
            scored = part.role != 'source' and is_scored(self, part.role)
            if scored and part.by_detector:
                self.fatal(
                    f'{part.where} holds what a detector found '
                    '(info.pseudo_labels), and AP against that says nothing: '
                    'measure on boxes that people drew.'
                )
            if self.check_classes(part, classes) and (
                part.role == 'source' or scored
            ):
                self.used[i] = check_boxes(self, part, classes)
        for role, classes in by_role.items():
            first, expected = next(iter(by_role.items()))
            if classes != expected:
                self.fatal(
                    f'the config has other classes for the {first} '
                    f'({" ".join(expected)}) than for the {role} '
                    f'({" ".join(classes)}): give both the same '
                    'metainfo.'
                )
        if by_role:
            self.check_heads(next(iter(by_role.values())))
        check_evaluation(self)
        check_shares(self)
        self.overlap.by_path()
