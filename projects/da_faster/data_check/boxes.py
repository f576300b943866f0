"""Checks which boxes of a COCO file training and evaluation really use.

MMDetection's CocoDataset leaves out some boxes without a word, and pycocotools
others. The rules of both are here.
"""

from collections import Counter
from collections.abc import Callable

import numpy as np

from .annotations import BoxTable, read_boxes
from .parts import Part
from .reader import SUBSET, DataReader

# A set is not what it was meant to be where it uses a smaller fraction of its
# boxes.
NEARLY_NOTHING = 0.05


def check_boxes(
    reader: DataReader, part: Part, classes: tuple
) -> np.ndarray | None:
    """Finds boxes that lose their class, their image, their extent or effect.

    Args:
        reader (DataReader): Gets the findings.
        part (Part): A part with annotations.
        classes (tuple[str]): The class names of the config.

    Returns:
        np.ndarray: (N, ) which of the N annotations are used; None where they
        cannot be read. Training uses what CocoDataset gives to the losses. A
        test uses what a detector scores by.
    """
    table = read_boxes(reader, part, classes)
    if table is None:
        return None
    items, total = table.items, len(table.items)

    def report(
        mask: np.ndarray, what: str, advice: str, fatal: bool = False
    ) -> None:
        if mask.any():
            at = int(np.flatnonzero(mask)[0])
            text = (
                f'{part.where}: {int(mask.sum())} of {total} boxes '
                f'{what}, e.g. annotation {items[at].get("id")} with '
                f'bbox {items[at]["bbox"]}; {advice}.'
            )
            (reader.fatal if fatal else reader.warn)(text)

    unknown = ~np.isin(table.labels, list(table.names))
    if unknown.any():
        counts = Counter(table.labels[unknown].tolist())
        strange = counts.most_common(1)[0][0]
        report(
            unknown,
            f'have a category_id (as {strange}) that its '
            f'categories ({min(table.names)} to {max(table.names)}) do not '
            'list, so they would be left out silently',
            'count the ids of both from the same number',
            True,
        )
    report(
        ~table.listed,
        'belong to an image that it does not list',
        f'clean it with {SUBSET}',
    )
    placed = check_extents(table, report)
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


def check_extents(table: BoxTable, report: Callable[..., None]) -> np.ndarray:
    """Finds boxes without extent and boxes beyond their image.

    Args:
        table (BoxTable): The N annotations.
        report (callable): Takes a mask, (N, ), and the text of the finding.

    Returns:
        np.ndarray: (N, ) which of the other boxes have a listed image.
    """
    finite = np.isfinite(table.boxes).all(1)
    report(~finite, 'are not finite', f'clean it with {SUBSET}', True)
    known = finite & table.listed
    x, y, w, h = np.where(known[:, None], table.boxes, 1).T
    width, height = np.where(known[:, None], table.sizes, np.inf).T
    thin = known & ((w < 1) | (h < 1))
    beyond = known & (
        (x >= width) | (y >= height) | (x + w <= 0) | (y + h <= 0)
    )
    report(
        thin,
        'are less than one pixel wide or high',
        'training leaves them out, but a test counts them as missed: clean '
        f'it with {SUBSET}',
    )
    report(
        beyond & ~thin,
        'lie outside their image',
        'check that the images are those that were labelled, or clean it '
        f'with {SUBSET}',
    )
    partly = (x < -1) | (y < -1) | (x + w > width + 1) | (y + h > height + 1)
    report(
        known & partly & ~beyond & ~thin,
        'reach more than a pixel beyond their image',
        'bbox must be left, top, width, height in pixels',
    )
    return known & ~thin & ~beyond


def check_used(
    reader: DataReader,
    part: Part,
    table: BoxTable,
    placed: np.ndarray,
    wanted: np.ndarray,
    classes: tuple,
) -> np.ndarray:
    """Finds out how many boxes are used after all rules.

    Args:
        reader (DataReader): Gets the findings.
        part (Part): The part with the N annotations.
        table (BoxTable): The annotations.
        placed (np.ndarray): (N, ) which boxes lie in a listed image.
        wanted (np.ndarray): (N, ) which boxes have a class of the config.
        classes (tuple[str]): The class names of the config.

    Returns:
        np.ndarray: (N, ) which boxes :func:`check_boxes` calls used.
    """
    tested = part.role in ('test', 'val')
    usual = {  # a few of these deserve no warning
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
    # Indices leave out boxes on purpose.
    asked = int((wanted & ~table.skipped).sum())
    summary = (
        f'{part.where}: {"the test counts" if tested else "training uses"} '
        f'{number} of its {total} boxes'
    )
    counts = Counter(table.labels[used].tolist())
    by_name = {name: counts[i] for i, name in table.names.items()}
    empty = [name for name in classes if not by_name.get(name, 0)]
    if not table.items:
        advice = 'give it a file with labels'
        if tested:
            advice += f', or set {part.role}_evaluator=[] to predict only'
        reader.fatal(f'{part.where} has no boxes: {advice}.')
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
        reader.fatal(f'{summary} ({why or "see the warnings"}).')
    else:
        if why and (number < total / 2 or set(lost) & set(odd)):
            reader.warn(f'{summary} ({why}).')
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
    reader: DataReader, part: Part, table: BoxTable, used: np.ndarray
) -> None:
    """Finds keys that training obeys, but the evaluation does not."""
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
