"""What is wrong with the data of a config, found without decoding an image.

This takes about as long as reading the annotation files.
"""

import os
import os.path as osp
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
from mmdet.registry import DATASETS
from mmengine.config import Config

from .parts import DataReader, Part

SUBSET = 'tools/dataset_converters/coco_subset.py'


class Checker(DataReader):
    """Collects findings over the parts of a config."""

    def __init__(self, cfg: Config) -> None:
        super().__init__(cfg)
        self._shared = set()

    def check_files(self, part: Part) -> None:
        """Every image is there; a listing of each folder tells."""
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
            self.fatal(
                f'{part.where}: {len(missing)} of {len(part.images)} '
                f'images do not exist, e.g. {missing[0]}; correct '
                'data_prefix, or complete the download.'
            )
        if not part.images:
            self.fatal(f'{part.where} lists no image: convert it again.')
        twice = len(part.images) - len(set(part.images))
        if twice:
            self.warn(
                f'{part.where} lists {twice} images more than once: '
                'convert it again.'
            )

    def classes_of(self, part: Part) -> tuple | None:
        """Class names of the dataset in the config's order."""
        classes = (part.cfg.get('metainfo') or {}).get('classes')
        if classes is None:
            cls = DATASETS.get(part.cfg['type'])
            classes = getattr(cls, 'METAINFO', {}).get('classes', ())
        if isinstance(classes, str):
            if not osp.isfile(classes):
                self.fatal(
                    f'{part.role}: classes is the text {classes!r}; '
                    f'write classes=({classes!r}, ) with a comma.'
                )
                return None
            with open(classes) as file:
                classes = file.read().split('\n')
        return tuple(classes)

    def check_classes(self, part: Part, classes: tuple) -> bool:
        """Names and order of the file agree with the config.

        CocoDataset and CocoMetric number the classes in the order of the
        file's categories, the detector and the log in the config's: another
        order is another class, a missing one shifts all behind it.
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
                "correct classes, or rename the file's with "
                f'{SUBSET} --classes LABEL=CLASS ...'
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
        """A pipeline that loads masks finds one with every box."""
        steps = part.cfg.get('pipeline') or ()
        items = part.content.get('annotations') or []
        bare = [i for i in items if not i.get('segmentation')]
        if bare and any(step.get('with_mask') for step in steps):
            self.fatal(
                f'{part.where}: {len(bare)} of {len(items)} boxes have '
                f'no mask, e.g. annotation {bare[0].get("id")}, but '
                'its pipeline has with_mask=True: give a file with '
                'segmentation, or train a detector without masks.'
            )

    def check_boxes(self, part: Part, classes: tuple) -> None:
        """Boxes that lose their class, their image or their extent."""
        items = part.content.get('annotations') or []
        used = self.box_table(part, items)
        if used is None:
            return
        boxes, sizes, image_known, labels, names = used
        total = len(items)

        def tell(mask, what, mend, fatal=False):
            if mask.any():
                at = int(np.flatnonzero(mask)[0])
                text = (
                    f'{part.where}: {int(mask.sum())} of {total} boxes '
                    f'{what}, e.g. annotation {items[at].get("id")} with '
                    f'bbox {items[at]["bbox"]}; {mend}.'
                )
                (self.fatal if fatal else self.warn)(text)

        unknown = ~np.isin(labels, list(names))
        if unknown.any():
            strange = Counter(labels[unknown].tolist()).most_common(1)[0][0]
            tell(
                unknown,
                f'have a category_id (as {strange}) that its '
                f'categories ({min(names)} to {max(names)}) do not list, so '
                'they would be left out silently',
                'count the ids of both from the same number',
                True,
            )
        tell(
            ~image_known,
            'belong to an image that it does not list',
            f'clean it with {SUBSET}',
        )
        finite = np.isfinite(boxes).all(1)
        tell(~finite, 'are not finite', f'clean it with {SUBSET}', True)
        known = finite & image_known
        x, y, w, h = np.where(known[:, None], boxes, 1).T
        width, height = np.where(known[:, None], sizes, np.inf).T
        thin = known & ((w < 1) | (h < 1))
        beyond = known & (
            (x >= width) | (y >= height) | (x + w <= 0) | (y + h <= 0)
        )
        tell(
            thin,
            'are less than one pixel wide or high',
            'training leaves '
            'them out, but a test counts them as missed: clean it with '
            f'{SUBSET}',
        )
        tell(
            beyond & ~thin,
            'lie outside their image',
            'check that the '
            f'images are those that were labelled, or clean it with {SUBSET}',
        )
        partly = (
            (x < -1) | (y < -1) | (x + w > width + 1) | (y + h > height + 1)
        )
        tell(
            known & partly & ~beyond & ~thin,
            'reach more than a pixel beyond their image',
            'bbox must be left, top, width, height in pixels',
        )
        usable = known & ~thin & ~beyond & ~unknown
        counts = Counter(labels[usable].tolist())
        by_name = {name: counts[i] for i, name in names.items()}
        empty = [name for name in classes if not by_name.get(name, 0)]
        if len(empty) == len(classes):
            hint = ''
            if total and finite.any() and boxes[finite].max() <= 2:
                hint = ' (its numbers look relative; they must be pixels)'
            self.fatal(
                f'{part.where}: none of its {total} boxes can be '
                f'used{hint}; convert it again.'
            )
        elif empty and part.role == 'source':
            self.warn(
                f'{part.where} has no usable box of {empty[0]} '
                f'({len(empty)} such classes): the detector cannot '
                'learn it; check the names of the labels.'
            )
        ids = [item.get('id') for item in items]
        if len(set(ids)) < len(ids):
            self.fatal(
                f'{part.where} has {len(ids) - len(set(ids))} '
                f'annotation ids twice: clean it with {SUBSET}.'
            )
        if part.role in ('test', 'val') and 0 in ids:
            self.warn(
                f'{part.where} has an annotation with id 0, which the '
                'COCO evaluation takes for "not found": number them '
                f'from 1 (clean it with {SUBSET}).'
            )

    def box_table(self, part: Part, items: list) -> tuple | None:
        """Arrays over the annotations, or None and a finding."""
        try:
            images = {
                i['id']: (i['width'], i['height'])
                for i in part.content['images']
            }
            names = {c['id']: c['name'] for c in part.content['categories']}
            boxes = np.array([a['bbox'] for a in items], float).reshape(
                len(items), 4
            )
            # What CocoDataset looks up without a default, and the evaluation.
            [a['area'] for a in items]
            if part.role in ('test', 'val'):
                [(a['id'], a['iscrowd']) for a in items]
            labels = np.array([a['category_id'] for a in items], int)
            sizes = [images.get(a['image_id']) for a in items]
        except (KeyError, TypeError, ValueError) as error:
            self.fatal(
                f'{part.where}: an image or annotation lacks what it needs '
                f'({error!r}); images need id, file_name, width, height, '
                'annotations id, image_id, category_id, bbox, area, iscrowd: '
                f'complete it with {SUBSET}.'
            )
            return None
        known = np.array([size is not None for size in sizes], bool)
        sizes = np.array([size or (0, 0) for size in sizes], float).reshape(
            len(items), 2
        )
        return boxes, sizes, known, labels, names

    def check_heads(self, classes: tuple) -> None:
        """The heads of the detector have as many outputs as classes."""
        for path, number in head_classes(self.cfg.get('model') or {}):
            if number != len(classes):
                self.fatal(
                    f'{path}={number} in the model, but the config '
                    f'has {len(classes)} classes '
                    f'({" ".join(classes)}): set it to '
                    f'{len(classes)}.'
                )

    def check_target(self, part: Part) -> None:
        """Labels of the target stay unread."""
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

    def check_tests(self) -> None:
        """The size of the test set, and the file that scores it."""
        expected = self.cfg.get('expected_images')
        for part in self.of('test'):
            if expected and len(part.images) != expected:
                self.fatal(
                    f'{part.where} has {len(part.images)} images, but the '
                    f'benchmark tests on {expected}: convert the right split, '
                    'or set expected_images=None for another benchmark.'
                )
        parts = self.of('test') + self.of('val')
        files = {osp.realpath(part.ann_file) for part in parts}
        for key in ('val_evaluator', 'test_evaluator'):
            evaluators = self.cfg.get(key) or []
            for item in (
                evaluators
                if isinstance(evaluators, (list, tuple))
                else [evaluators]
            ):
                path = item.get('ann_file')
                if path and files and osp.realpath(path) not in files:
                    self.fatal(
                        f'{key} scores with {path}, but the test '
                        f'images come from {parts[0].ann_file}: give '
                        'both the same ann_file.'
                    )

    def check_overlap(self, same: dict[str, dict[str, str]], how: str) -> None:
        """Images that two roles share.

        Args:
            same: By role, the path of an image by what tells it from others.
            how: What that is, for the sentence.
        """
        for one, other, matters in (
            ('source', 'target', 'the domains do not differ there'),
            ('source', 'test', 'the test is not of unseen images'),
            (
                'target',
                'test',
                (
                    'the adaptation sees the test images; papers '
                    'that do so say so'
                ),
            ),
        ):
            common = sorted(set(same.get(one, ())) & set(same.get(other, ())))
            if not common or (one, other) in self._shared:
                continue
            self._shared.add((one, other))
            a, b = same[one][common[0]], same[other][common[0]]
            text = (
                f'{one} and {other} share {len(common)} images by {how} '
                f'({len(same[one])} and {len(same[other])}), e.g. {a} and '
                f'{b}: {matters}; check data_root and data_prefix.'
            )
            whole = len(common) == len(same[other])
            if (one, other) == ('source', 'target') and whole:
                self.fatal(text)
            else:
                self.warn(text)

    def run(self) -> None:
        """All checks that need no image."""
        self.read()
        by_role = {}
        for part in self.parts:
            self.check_files(part)
            if part.role == 'target':
                self.check_target(part)
                continue
            classes = self.classes_of(part)
            if classes is None:
                continue
            by_role.setdefault(part.role, classes)
            self.check_masks(part)
            if self.check_classes(part, classes):
                self.check_boxes(part, classes)
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
        self.check_tests()
        real = {}  # a folder is resolved once, not with every image
        same = defaultdict(dict)
        for part in self.parts:
            for path in part.images:
                folder, name = osp.split(path)
                if folder not in real:
                    real[folder] = osp.realpath(folder)
                same[part.role][osp.join(real[folder], name)] = path
        self.check_overlap(same, 'path')


def head_classes(model, path: str = 'model') -> Iterator[tuple[str, int]]:
    """(path, value) of every num_classes of a box or mask head."""
    if isinstance(model, (list, tuple)):
        for i, item in enumerate(model):
            yield from head_classes(item, f'{path}.{i}')
    elif isinstance(model, dict):
        for key, value in model.items():
            if key == 'num_classes' and (
                'bbox_head' in path or 'mask_head' in path
            ):
                yield f'{path}.{key}', value
            else:
                yield from head_classes(value, f'{path}.{key}')
