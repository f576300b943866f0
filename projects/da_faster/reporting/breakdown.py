"""What becomes of each object, and what each false alarm lies on."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from pycocotools import mask as mask_utils

from da_faster.visualization.detections import Outcome

FATES = ('found', 'badly placed', 'confused', 'missed')
LEAST, ENOUGH = 0.1, 0.5  # IoU: touches an object; is one
SIZES = dict(small=32**2, medium=96**2, large=float('inf'))  # COCO's, pixels

# What the page says of them, in the order of FATES; then of false alarms.
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
    """An image's objects and false alarms.

    Attributes:
        fates: Of each object, one of FATES.
        false: Of each detection: ``repeat``, ``background``, one of FATES
            that it brings about, or None where it finds an object.
    """

    fates: list[str]
    false: list[str | None]


def explain(outcome: Outcome) -> Explained:
    """Explains misses and false alarms of an image by :data:`RULES`.

    Args:
        outcome (Outcome): The detections that count.
    """
    detections, truth, matched = outcome
    fates = ['missed'] * len(truth)
    for place in matched:
        if place is not None:
            fates[place] = 'found'
    kinds: list[str | None] = []
    overlaps = (
        mask_utils.iou(
            [d['bbox'] for d in detections],
            [t['bbox'] for t in truth],
            [0] * len(truth),
        )
        if detections and truth
        else [[]] * len(detections)
    )
    for detection, found, row in zip(detections, matched, overlaps):
        if found is not None:
            kinds.append(None)
            continue
        best = max(range(len(truth)), key=lambda j: row[j], default=None)
        kind = 'background'
        if best is not None and row[best] >= LEAST:
            same = detection['category_id'] == truth[best]['category_id']
            if fates[best] == 'found':
                kind = 'repeat'
            elif same:
                kind = 'badly placed'
            elif row[best] >= ENOUGH:
                kind = 'confused'
        if kind == 'confused' or (
            kind == 'badly placed' and fates[best] == 'missed'
        ):
            fates[best] = kind
        kinds.append(kind)
    return Explained(fates, kinds)


def size_of(annotation: dict) -> str:
    """COCO's name for an object's size."""
    _, _, width, height = annotation['bbox']
    area = annotation.get('area', width * height)
    return next(name for name, limit in SIZES.items() if area < limit)


class Row(NamedTuple):
    """Objects of a class or a size.

    Attributes:
        objects: How many.
        fates: Of each of FATES, how many.
        background: False alarms of the class on nothing.
        repeats: Those on an object that is found.
        images: How many images were looked at.
    """

    objects: int
    fates: dict[str, int]
    background: int
    repeats: int
    images: int

    def share(self, fate: str) -> float:
        """Percent of the objects."""
        return 100 * self.fates[fate] / self.objects if self.objects else 0.0

    def per_image(self, false: int) -> float:
        """False alarms an image."""
        return false / self.images if self.images else 0.0


def break_down(outcomes: Iterable[Outcome], names: dict) -> dict[str, Row]:
    """Counts objects and false alarms of images.

    Args:
        outcomes (iterable of Outcome): Of each image of each run.
        names (dict): Of the classes, by category id.

    Returns:
        dict: Rows by name: ``all``, each class, and each size as ``size:NAME``
        (whose false alarms are not counted: they have no object). Classes and
        sizes without an object and a false alarm are left out.
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
        for item, kind in zip(outcome.detections, explained.false):
            for row in ('all', names[item['category_id']]):
                false[row, kind] += 1
    rows = {}
    for name in ('all', *names.values(), *(f'size:{s}' for s in SIZES)):
        counts = {fate: fates[name, fate] for fate in FATES}
        alarms = false[name, 'background'], false[name, 'repeat']
        if any(counts.values()) or any(alarms):
            rows[name] = Row(sum(counts.values()), counts, *alarms, images)
    return rows
