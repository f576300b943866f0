"""Which boxes of a COCO file training and evaluation really use.

MMDetection's CocoDataset passes over boxes without a word, and pycocotools
over others: here are the rules of both.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from .parts import SUBSET, DataReader, Part

# Below this share of its boxes a set is not what it was meant to be.
NEARLY_NOTHING = 0.05


class Boxes(NamedTuple):
    """The N annotations of a part as arrays.

    Args:
        items: The annotations themselves.
        boxes: (N, 4), left, top, width, height.
        sizes: (N, 2), width and height of their images; 0 where unlisted.
        listed: (N, ), whether their image is listed.
        filtered: (N, ), whether ``filter_cfg`` leaves out their image.
        skipped: (N, ), whether ``indices`` do.
        labels: (N, ), category ids.
        area: (N, )
        crowd, ignore: (N, ), whether the key is set.
        names: Class by category id.
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


def numbers(values) -> np.ndarray:
    """An array of floats. Raises a TypeError for a text, which NumPy takes."""
    values = list(values)
    for value in values:
        if not isinstance(value, (int, float)):
            raise TypeError(f'{value!r} is not a number')
    return np.array(values, float)


def kept_images(part: Part, classes: tuple) -> list:
    """Ids of the images that the dataset of the config keeps.

    That is what BaseDataset and CocoDataset do with ``filter_cfg`` (unless
    ``test_mode``) and ``indices``.
    """
    ids = filtered_images(part, classes)
    indices = part.cfg.get('indices')
    if isinstance(indices, int):
        return ids[:indices] if indices >= 0 else ids[indices:]
    return ids if indices is None else [ids[i] for i in indices]


def filtered_images(part: Part, classes: tuple) -> list:
    """Ids of the images that ``filter_cfg`` keeps."""
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


def read_boxes(reader: DataReader, part: Part, classes: tuple) -> Boxes | None:
    """Arrays over the annotations, or None and a finding."""
    items = part.content.get('annotations') or []
    try:
        images = {i['id']: i for i in part.content['images']}
        numbers(i[key] for i in images.values() for key in ('width', 'height'))
        names = {c['id']: c['name'] for c in part.content['categories']}
        boxes = numbers(v for item in items for v in item['bbox'])
        owners = [images.get(item['image_id']) for item in items]
        some = set(filtered_images(part, classes))
        gone = some.difference(kept_images(part, classes))
        if part.role in ('test', 'val') and 'LVIS' not in part.cfg['type']:
            [(a['id'], a['iscrowd']) for a in items]
        return Boxes(
            items,
            boxes.reshape(len(items), 4),
            np.array(
                [(i['width'], i['height']) if i else (0, 0) for i in owners],
                float,
            ).reshape(len(items), 2),
            np.array([i is not None for i in owners], bool),
            np.array(
                [i is not None and i['id'] not in some for i in owners], bool
            ),
            np.array([item['image_id'] in gone for item in items], bool),
            numbers(a['category_id'] for a in items).astype(int),
            numbers(a['area'] for a in items),
            np.array([bool(a.get('iscrowd')) for a in items], bool),
            np.array([bool(a.get('ignore')) for a in items], bool),
            names,
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        reader.fatal(
            f'{part.where}: an image or annotation lacks what it needs '
            f'({error!r}); images need id, file_name, width, height, '
            'annotations id, image_id, category_id, bbox, area, iscrowd, the '
            f'numbers as numbers: complete it with {SUBSET}.'
        )
        return None


def check_boxes(
    reader: DataReader, part: Part, classes: tuple
) -> np.ndarray | None:
    """Boxes that lose their class, their image, their extent or their effect.

    Returns:
        (N, ) which of the annotations are used, or None where the file cannot
        be read. Used in training: CocoDataset gives them to the losses. In a
        test: a detector that finds them scores.
    """
    table = read_boxes(reader, part, classes)
    if table is None:
        return None
    items, total = table.items, len(table.items)

    def tell(mask, what, mend, fatal=False):
        if mask.any():
            at = int(np.flatnonzero(mask)[0])
            text = (
                f'{part.where}: {int(mask.sum())} of {total} boxes '
                f'{what}, e.g. annotation {items[at].get("id")} with '
                f'bbox {items[at]["bbox"]}; {mend}.'
            )
            (reader.fatal if fatal else reader.warn)(text)

    unknown = ~np.isin(table.labels, list(table.names))
    if unknown.any():
        counts = Counter(table.labels[unknown].tolist())
        strange = counts.most_common(1)[0][0]
        tell(
            unknown,
            f'have a category_id (as {strange}) that its '
            f'categories ({min(table.names)} to {max(table.names)}) do not '
            'list, so they would be left out silently',
            'count the ids of both from the same number',
            True,
        )
    tell(
        ~table.listed,
        'belong to an image that it does not list',
        f'clean it with {SUBSET}',
    )
    placed = check_extents(table, tell)
    ids = [item.get('id') for item in items]
    if len(set(ids)) < len(ids):
        reader.fatal(
            f'{part.where} has {len(ids) - len(set(ids))} '
            f'annotation ids twice: clean it with {SUBSET}.'
        )
    if part.role in ('test', 'val') and 0 in ids:
        reader.warn(
            f'{part.where} has an annotation with id 0, which the '
            'COCO evaluation takes for "not found": number them '
            f'from 1 (clean it with {SUBSET}).'
        )
    wanted = [i for i, name in table.names.items() if name in classes]
    return check_used(
        reader, part, table, placed, np.isin(table.labels, wanted), classes
    )


def check_extents(table: Boxes, tell) -> np.ndarray:
    """Boxes without extent or beyond their image.

    Returns:
        (N, ) those of the others whose image is listed.
    """
    finite = np.isfinite(table.boxes).all(1)
    tell(~finite, 'are not finite', f'clean it with {SUBSET}', True)
    known = finite & table.listed
    x, y, w, h = np.where(known[:, None], table.boxes, 1).T
    width, height = np.where(known[:, None], table.sizes, np.inf).T
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
    partly = (x < -1) | (y < -1) | (x + w > width + 1) | (y + h > height + 1)
    tell(
        known & partly & ~beyond & ~thin,
        'reach more than a pixel beyond their image',
        'bbox must be left, top, width, height in pixels',
    )
    return known & ~thin & ~beyond


def check_used(
    reader: DataReader,
    part: Part,
    table: Boxes,
    placed: np.ndarray,
    wanted: np.ndarray,
    classes: tuple,
) -> np.ndarray:
    """What is left after all the rules; see :func:`check_boxes`.

    Args:
        placed: (N, ) those of :func:`check_extents`.
        wanted: (N, ) those of the config's classes.
    """
    tested = part.role in ('test', 'val')
    usual = {  # some of these are nothing to warn of
        'iscrowd=1, which stands for no single object: write 0': table.crowd,
        'an image that filter_cfg leaves out': table.filtered,
        'an image that indices leave out': table.skipped,
    }
    odd = {'an area below 0: write width * height of bbox': table.area < 0}
    if not tested:
        odd = {
            'an area of 0 or less: write width * height of bbox': (
                table.area <= 0
            ),
            'ignore=1: write 0': table.ignore,
        }
    used = placed & wanted
    lost = {}
    for what, mask in {**odd, **usual}.items():
        if (mask & wanted).any():
            lost[what] = int((mask & wanted).sum())
        used = used & ~mask
    why = '; '.join(f'{number} with {what}' for what, number in lost.items())
    number, total = int(used.sum()), int(wanted.sum())
    # Whoever gives indices wants a part of them.
    asked = int((wanted & ~table.skipped).sum())
    told = (
        f'{part.where}: {"the test counts" if tested else "training uses"} '
        f'{number} of its {total} boxes'
    )
    counts = Counter(table.labels[used].tolist())
    by_name = {name: counts[i] for i, name in table.names.items()}
    empty = [name for name in classes if not by_name.get(name, 0)]
    if not table.items:
        mend = 'give it a file with labels'
        if tested:
            mend += f', or set {part.role}_evaluator=[] to predict only'
        reader.fatal(f'{part.where} has no boxes: {mend}.')
    elif not number and not why:
        finite = np.isfinite(table.boxes).all(1)
        hint = ''
        if finite.any() and table.boxes[finite].max() <= 2:
            hint = ' (its numbers look relative; they must be pixels)'
        reader.fatal(
            f'{part.where}: none of its {len(table.items)} boxes can be '
            f'used{hint}; convert it again.'
        )
    elif number < NEARLY_NOTHING * asked or not number:
        reader.fatal(f'{told} ({why or "see the warnings"}).')
    else:
        if why and (number < total / 2 or set(lost) & set(odd)):
            reader.warn(f'{told} ({why}).')
        if empty and part.role == 'source':
            reader.warn(
                f'{part.where} has no usable box of {empty[0]} '
                f'({len(empty)} such classes): the detector cannot '
                'learn it; check the names of the labels.'
            )
    if tested:
        check_only_tested(reader, part, table, used)
    return used


def check_only_tested(
    reader: DataReader, part: Part, table: Boxes, used: np.ndarray
) -> None:
    """Keys that training obeys, but the evaluation does not."""
    for what, mask in {
        'ignore=1, which the COCO evaluation does not know, so it counts '
        'them: write iscrowd=1': table.ignore,
        'an area of 0, so they are "small" in the AP by size: write '
        'width * height of bbox': table.area == 0,
    }.items():
        number = int((mask & used).sum())
        if number:
            reader.warn(
                f'{part.where}: {number} of {len(used)} boxes have {what}.'
            )
