"""Finds images that two of the sets share.

Source and target may not share images, nor may the test images be trained on.
"""

import os.path as osp
from collections import defaultdict

from mmengine.config import Config

from .parts import Part
from .reader import DataReader

LABELLED = 'labelled target'  # source images that are meant to be target ones


def is_labelled_target(cfg: Config, part: Part) -> bool:
    """Whether a part of the source is meant to hold target images.

    That is so where ``adaptation.target_labels`` names its annotations, or
    where a detector made its labels.
    """
    few = (cfg.get('adaptation') or {}).get('target_labels')
    return part.by_detector or (
        bool(few and part.ann_file)
        and osp.realpath(few) == osp.realpath(part.ann_file)
    )


def labelled_images(part: Part) -> list[str]:
    """Returns the images with a box; labelling tools list the others, too."""
    items = part.content.get('annotations') or ()
    labelled = {item.get('image_id') for item in items}
    return [
        path
        for path, image in zip(part.images, part.content['images'])
        if image['id'] in labelled
    ]


def compared_images(cfg: Config, part: Part) -> tuple[str, list[str]]:
    """Returns the set a part belongs to, and which images are compared.

    Returns:
        tuple[str, list[str]]: The role of the part, or ``LABELLED``, and the
        paths of images that must not be in another set.
    """
    if part.role == 'test' and part.content is None:
        return part.role, []  # to predict on: may be the target's own
    if part.role == 'source' and is_labelled_target(cfg, part):
        return LABELLED, labelled_images(part)
    return part.role, part.images


class OverlapCheck:
    """Compares the sets of images, first by path and then by content.

    Two sets that share images are reported once.

    Args:
        reader (DataReader): Has the parts, and gets the findings.
    """

    def __init__(self, reader: DataReader) -> None:
        self.reader = reader
        self._reported = set()

    def by_path(self) -> None:
        """Compares the paths of the images of all parts."""
        real = {}  # a folder is resolved once, not with every image
        paths = defaultdict(dict)
        for part in self.reader.parts:
            role, images = compared_images(self.reader.cfg, part)
            for path in images:
                folder, name = osp.split(path)
                if folder not in real:
                    real[folder] = osp.realpath(folder)
                paths[role][osp.join(real[folder], name)] = path
        self._compare(paths, 'path')

    def by_content(self, digests: dict[str, str]) -> None:
        """Compares the content of image files.

        Args:
            digests (dict[str, str]): SHA-256 by path, of the files that were
                read.
        """
        paths = defaultdict(dict)
        for part in self.reader.parts:
            role, images = compared_images(self.reader.cfg, part)
            for path in images:
                if path in digests:
                    paths[role].setdefault(digests[path], path)
        self._compare(paths, 'content (SHA-256)')

    def _compare(self, paths: dict[str, dict[str, str]], how: str) -> None:
        """Adds a finding for every two sets that share a key.

        Args:
            paths (dict[str, dict[str, str]]): For each set, paths of images by
                a key that tells images apart.
            how (str): What the key is.
        """
        for one, other, matters in (
            ('source', 'target', 'the domains do not differ there'),
            ('source', 'test', 'the test is not of unseen images'),
            (LABELLED, 'test', 'the test is not of unseen images'),
            (
                'target',
                'test',
                (
                    'the adaptation sees the test images; papers that do so '
                    'say so'
                ),
            ),
        ):
            common = sorted(set(paths[one]) & set(paths[other]))
            if not common or (one, other) in self._reported:
                continue
            self._reported.add((one, other))
            a, b = paths[one][common[0]], paths[other][common[0]]
            text = (
                f'{one} and {other} share {len(common)} images by {how} '
                f'({len(paths[one])} and {len(paths[other])}), e.g. {a} and '
                f'{b}: {matters}; check data_root and data_prefix.'
            )
            whole = len(common) == len(paths[other])
            if (one, other) == ('source', 'target') and whole:
                self.reader.fatal(text)
            else:
                self.reader.warn(text)
