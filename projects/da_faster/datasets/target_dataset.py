"""Reads the images of the target domain, without labels."""

import os.path as osp
from pathlib import Path

from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS
from mmengine.fileio import list_dir_or_file, load

from da_faster.errors import UserError
from da_faster.listing import IMAGE_SUFFIXES, is_hidden, list_files


def file_names(folder: str, suffixes: tuple[str, ...]) -> list[str]:
    """Lists the images below a local or a remote folder.

    Returns:
        list[str]: Sorted paths, relative to the folder.
    """
    if osp.isdir(folder):  # list_files follows no circle of links
        files = list_files(Path(folder), suffixes)
        return [str(file.relative_to(folder)) for file in files]
    endings = tuple(suffix.lower() for suffix in suffixes)
    names = list_dir_or_file(folder, list_dir=False, recursive=True)
    return sorted(
        name
        for name in names
        if not is_hidden(name) and name.lower().endswith(endings)
    )


@DATASETS.register_module()
class TargetDataset(BaseDetDataset):
    """Images without labels: a folder, or the images of a COCO json.

    Only ``images`` of a json is read, never ``annotations``. So no image is
    filtered out for its objects or the lack of them.

    Args:
        ann_file (str): A COCO json. If it is empty, all images below
            ``data_prefix['img']`` are taken, in alphabetical order, without
            hidden files.
        img_suffix (str or tuple[str]): Endings of the image files in the
            folder, case ignored; e.g. ``'_foggy_beta_0.02.png'`` for one of
            the three fogs of Foggy Cityscapes.
        *args, **kwargs: Arguments of BaseDetDataset (``data_root``,
            ``data_prefix``, ``pipeline``, ...).
    """

    def __init__(
        self,
        *args,
        img_suffix: str | tuple[str, ...] = IMAGE_SUFFIXES,
        **kwargs,
    ) -> None:
        self.img_suffix = img_suffix
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Lists the images.

        Returns:
            list[dict]: ``img_path``, ``img_id`` and empty ``instances``; from
            a json also ``height`` and ``width``.

        Raises:
            ValueError: If there is no image.
        """
        folder = self.data_prefix.get('img') or ''
        if self.ann_file:
            images = load(self.ann_file).get('images', [])
            where = self.ann_file
        else:
            suffixes = self.img_suffix
            suffixes = (suffixes,) if isinstance(suffixes, str) else suffixes
            images = [
                dict(id=i, file_name=name)
                for i, name in enumerate(file_names(folder, suffixes))
            ]
            where = f'{folder} ({", ".join(suffixes)})'
        if not images:
            raise ValueError(
                f'TargetDataset: no image found in {where}; set ann_file, or '
                'data_root and data_prefix=dict(img=...), to those of the '
                'target'
            )
        sizes = ('height', 'width')
        return [
            dict(
                img_path=osp.join(folder, image['file_name']),
                img_id=image['id'],
                instances=[],
                **{k: image[k] for k in sizes if k in image},
            )
            for image in images
        ]


def images_below(folder: str) -> list[str]:
    """Lists the image files below a folder, in alphabetical order.

    Raises:
        UserError: If there is none.
    """
    if not osp.isdir(folder):
        raise UserError(f'{folder} is not a folder of images.')
    dataset = TargetDataset(
        data_prefix=dict(img=osp.join(folder, '')), pipeline=[], lazy_init=True
    )
    try:
        return [item['img_path'] for item in dataset.load_data_list()]
    except ValueError as error:
        raise UserError(
            f'no image found in {folder} ({", ".join(IMAGE_SUFFIXES)}): give '
            'a folder that has some.'
        ) from error
