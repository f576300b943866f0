"""Error breakdown: the fate of each object, the cause of each false alarm."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from da_faster.visualization.outcomes import Outcome, overlaps_of

FATES = ('found', 'badly placed', 'confused', 'missed')
TOUCH_IOU, MATCH_IOU = 0.1, 0.5
SIZES = dict(small=32**2, medium=96**2, large=float('inf'))  # COCO's, pixels

# Rules as the page prints them: FATES in their order, then false alarms.
RULES = {
    'found': 'a detection of its class has an IoU of 0.5 or more with it; '
    'each object is found once, by the best of them.',
    'badly placed': 'not found, but a false alarm of its class is put down to '
    'it, with an IoU of 0.1 or more.',
    'confused': 'not found, but a false alarm of another class is put down to '
    'it, with an IoU of 0.5 or more. This comes before badly placed.',
    'missed': 'none of these.',
    'repeat': 'a false alarm that is put down to an object that is found, '
    'with an IoU of 0.1 or more.',
    'background': 'any other false alarm.',
}


class Explained(NamedTuple):
    """Fates of an image's objects, causes of its false alarms.

    Attributes:
        fates: One of FATES for each object.
        false: A cause for each detection: ``repeat``, ``background``, or the
            fate (``badly placed``, ``confused``) that the false alarm stands
            for; None where the detection finds an object.
    """

    fates: list[str]
    false: list[str | None]


def explain(outcome: Outcome) -> Explained:
    """Explains misses and false alarms of an image by :data:`RULES`.

    Args:
        outcome (Outcome): Detections and objects of the image.
    """
    detections, truth, matched = outcome
    fates = ['missed'] * len(truth)
    for index in matched:
        if index is not None:
            fates[index] = 'found'
    causes: list[str | None] = []
    overlaps = overlaps_of(detections, truth)
    for detection, found, row in zip(detections, matched, overlaps):
        if found is not None:
            causes.append(None)
            continue
        best = max(range(len(truth)), key=lambda j: row[j], default=None)
        cause = 'background'
        if best is not None and row[best] >= TOUCH_IOU:
            same = detection['category_id'] == truth[best]['category_id']
            if fates[best] == 'found':
                cause = 'repeat'
            elif same:
                cause = 'badly placed'
            elif row[best] >= MATCH_IOU:
                cause = 'confused'
        if cause == 'confused' or (
            cause == 'badly placed' and fates[best] == 'missed'
        ):
            fates[best] = cause
        causes.append(cause)
    return Explained(fates, causes)


def size_of(annotation: dict) -> str:
    """Size of an object by COCO's limits: small, medium or large."""
    _, _, width, height = annotation['bbox']
    area = annotation.get('area', width * height)
    return next(name for name, limit in SIZES.items() if area < limit)


class Row(NamedTuple):
    """Counts of the objects and false alarms of a class or a size.

    Attributes:
        objects: Number of objects.
        fates: Number of objects by fate.
        background: Number of false alarms on the background.
        repeats: Number of false alarms on objects that are found.
        images: Number of images.
    """

    objects: int
    fates: dict[str, int]
    background: int
    repeats: int
    images: int

    def percent(self, fate: str) -> float:
        """Percent of the objects that have a fate."""
        return 100 * self.fates[fate] / self.objects if self.objects else 0.0

    def per_image(self, false: int) -> float:
        """Mean number of false alarms in an image."""
        return false / self.images if self.images else 0.0


def break_down(outcomes: Iterable[Outcome], names: dict) -> dict[str, Row]:
    """Counts objects and false alarms of images.

    Args:
        outcomes (iterable of Outcome): Outcomes of all images and runs.
        names (dict): Names of the classes, by category id.

    Returns:
        dict[str, Row]: Rows by name: ``all``, each class, and each size as
        ``size:NAME``. Rows of sizes count no false alarms, which have no
        object. Rows without objects and false alarms are left out.
    """
    fates, false = Counter(), Counter()
    images = 0
    for outcome in outcomes:
        images += 1
        explained = explain(outcome)
        for item, fate in zip(outcome.truth, explained.fates):
            name = names[item['category_id']]
            for row in ('all', name, f'size:{size_of(item)}'):
                fates[row, fate] += 1
        for item, cause in zip(outcome.detections, explained.false):
            for row in ('all', names[item['category_id']]):
                false[row, cause] += 1
    rows = {}
    for name in ('all', *names.values(), *(f'size:{s}' for s in SIZES)):
        counts = {fate: fates[name, fate] for fate in FATES}
        alarms = false[name, 'background'], false[name, 'repeat']
        if any(counts.values()) or any(alarms):
            rows[name] = Row(sum(counts.values()), counts, *alarms, images)
    return rows
