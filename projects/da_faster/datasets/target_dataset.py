"""The unlabelled images of the target domain."""

import os.path as osp
from pathlib import Path

from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS
from mmengine.fileio import list_dir_or_file, load

from da_faster.listing import IMAGE_SUFFIXES, is_hidden, list_files


def file_names(folder: str, suffixes: tuple[str, ...]) -> list[str]:
    """Of the images below a folder, which may be of a cloud, in order."""
    if osp.isdir(folder):  # a link in it may lead back to it
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

    Of a json only ``images`` is looked at, never ``annotations``; no image is
    dropped for what is, or is not, on it.

    Args:
        ann_file (str): A COCO json. Empty: every image below
            ``data_prefix['img']``, in alphabetical order, without hidden
            files.
        img_suffix (str or tuple[str]): Which files of the folder are images,
            case ignored; e.g. ``'_foggy_beta_0.02.png'`` for one of the
            three fogs of Foggy Cityscapes.
        *args, **kwargs: Of BaseDetDataset (``data_root``, ``data_prefix``,
            ``pipeline``, ...).
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
        """
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
                "data_root and data_prefix=dict(img=...), to the target's"
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
