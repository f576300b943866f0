"""The datasets of a config, as their files describe them."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

ROLES = ('source', 'target', 'test', 'val')


class Part(NamedTuple):
    """One dataset of the config, without its wrappers.

    Args:
        role (str): source, target, test, or val where that is another dataset
            than test.
        cfg (dict): The config of the dataset.
        ann_file (str): Path of the annotation file, or ''.
        folder (str): The folder that file names are relative to.
        content (dict): The COCO annotations; None for a folder of images.
        images (list[str]): Paths of the images.
    """

    role: str
    cfg: dict
    ann_file: str
    folder: str
    content: dict | None
    images: list[str]

    @property
    def where(self) -> str:
        """Role and path, as sentences name the part."""
        return f'{self.role} {self.ann_file or self.folder}'

    @property
    def by_detector(self) -> bool:
        """Whether a detector made the labels."""
        return by_detector(self.content or {})

    def describe(self, used: Sequence[bool] | None = None) -> str:
        """Counts the images and labels of the part, on one line.

        Args:
            used (Sequence[bool], optional): For each annotation, whether
                training or evaluation uses it. Default: all are used.
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
        paths = (
            self.folder
            if not self.ann_file
            else f'{self.ann_file}, images below {self.folder}'
        )
        return f'{self.role}: {len(self.images)} images, {labels}; {paths}'


def by_detector(content: dict) -> bool:
    """Whether a COCO file holds pseudo-labels, as pseudo_label.py notes."""
    info = content.get('info')
    return isinstance(info, dict) and 'pseudo_labels' in info
