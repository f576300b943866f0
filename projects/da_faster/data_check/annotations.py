"""The annotations of a part as arrays, and the images its dataset keeps.

``filter_cfg``, ``test_mode`` and ``indices`` mean what they mean to
MMDetection's CocoDataset and MMEngine's BaseDataset.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from .parts import Part
from .reader import SUBSET, DataReader


class BoxTable(NamedTuple):
    """The N annotations of a part as arrays.

    Args:
        items (list[dict]): The annotations themselves.
        boxes (np.ndarray): (N, 4) left, top, width, height.
        sizes (np.ndarray): (N, 2) width and height of the image of each box; 0
            where the image is not listed.
        listed (np.ndarray): (N, ) whether the image is listed.
        filtered (np.ndarray): (N, ) whether ``filter_cfg`` leaves out the
            image.
        skipped (np.ndarray): (N, ) whether ``indices`` leave out the image.
        labels (np.ndarray): (N, ) category ids.
        area (np.ndarray): (N, ) the key ``area``.
        crowd (np.ndarray): (N, ) whether ``iscrowd`` is set.
        ignore (np.ndarray): (N, ) whether ``ignore`` is set.
        names (dict[int, str]): Class names by category id.
    """

    items: list
    boxes: np.ndarray
    sizes: np.ndarray
    listed: np.ndarray
    filtered: np.ndarray
    skipped: np.ndarray
    labels: np.ndarray
    area: np.ndarray
    crowd: np.ndarray
    ignore: np.ndarray
    names: dict


def as_floats(values: Iterable) -> np.ndarray:
    """Makes an array of floats.

    Raises:
        TypeError: If a value is not a number. NumPy would convert a text.
    """
    values = list(values)
    for value in values:
        if not isinstance(value, (int, float)):
            raise TypeError(f'{value!r} is not a number')
    return np.array(values, float)


def kept_images(part: Part, classes: tuple) -> list:
    """Returns the ids of the images that the dataset of the config keeps.

    ``filter_cfg`` leaves out images unless ``test_mode`` is set; ``indices``
    choose from the others.
    """
    ids = filtered_images(part, classes)
    indices = part.cfg.get('indices')
    if isinstance(indices, int):
        return ids[:indices] if indices >= 0 else ids[indices:]
    return ids if indices is None else [ids[i] for i in indices]


def filtered_images(part: Part, classes: tuple) -> list:
    """Returns the ids of the images that ``filter_cfg`` keeps."""
    images, cfg = part.content['images'], part.cfg
    rule = {} if cfg.get('test_mode') else cfg.get('filter_cfg') or {}
    if rule.get('filter_empty_gt'):
        wanted = {
            c['id'] for c in part.content['categories'] if c['name'] in classes
        }
        full = {
            item['image_id']
            for item in part.content.get('annotations') or ()
            if item['category_id'] in wanted
        }
        images = [image for image in images if image['id'] in full]
    if smallest := rule.get('min_size', 0):
        images = [
            image
            for image in images
            if min(image['width'], image['height']) >= smallest
        ]
    return [image['id'] for image in images]


def read_boxes(
    reader: DataReader, part: Part, classes: tuple
) -> BoxTable | None:
    """Turns the annotations of a part into arrays.

    Returns:
        BoxTable: The arrays; None, and a finding, where a key is missing.
    """
    items = part.content.get('annotations') or []
    try:
        images = {i['id']: i for i in part.content['images']}
        as_floats(
            i[key] for i in images.values() for key in ('width', 'height')
        )
        names = {c['id']: c['name'] for c in part.content['categories']}
        boxes = as_floats(v for item in items for v in item['bbox'])
        owners = [images.get(item['image_id']) for item in items]
        unfiltered = set(filtered_images(part, classes))
        skipped = unfiltered.difference(kept_images(part, classes))
        if part.role in ('test', 'val') and 'LVIS' not in part.cfg['type']:
            # The evaluation reads these keys of every annotation.
            [(a['id'], a['iscrowd']) for a in items]
        return BoxTable(
            items=items,
            boxes=boxes.reshape(len(items), 4),
            sizes=np.array(
                [(i['width'], i['height']) if i else (0, 0) for i in owners],
                float,
            ).reshape(len(items), 2),
            listed=np.array([i is not None for i in owners], bool),
            filtered=np.array(
                [i is not None and i['id'] not in unfiltered for i in owners],
                bool,
            ),
            skipped=np.array([a['image_id'] in skipped for a in items], bool),
            labels=as_floats(a['category_id'] for a in items).astype(int),
            area=as_floats(a['area'] for a in items),
            crowd=np.array([bool(a.get('iscrowd')) for a in items], bool),
            ignore=np.array([bool(a.get('ignore')) for a in items], bool),
            names=names,
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        reader.fatal(
            f'{part.where}: an image or annotation lacks a key or has a wrong '
            f'value ({error!r}); images need id, file_name, width, height, '
            'annotations id, image_id, category_id, bbox, area, iscrowd, and '
            f'numbers must not be texts: complete the file with {SUBSET}.'
        )
        return None
