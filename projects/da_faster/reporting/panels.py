"""Images on which two runs differ most, with what each finds."""

import base64
import io
from typing import NamedTuple

import mmcv
from markupsafe import Markup, escape
from PIL import Image

from da_faster.errors import UserError
from da_faster.visualization.detections import Outcome

LONGEST = 900  # pixels of an embedded image's longer side


class Chosen(NamedTuple):
    """Images to show.

    Attributes:
        best: Ids, the largest gain first.
        worst: Ids, the largest loss first.
        gains: Of every image.
    """

    best: list[int]
    worst: list[int]
    gains: dict[int, int]

    def rule(self, first: str, last: str) -> str:
        """How they were chosen, and what holds for all images.

        Args:
            first (str): Name of the one run.
            last (str): Of the other.
        """
        values = self.gains.values()
        better, worse = sum(v > 0 for v in values), sum(v < 0 for v in values)
        return (
            'Each image counts objects found minus false alarms. Shown are '
            f'the images where that rises most from {first} to {last}, and, '
            'as many, those where it falls most or rises least. It rises in '
            f'{better} of {len(values)} images and falls in {worse}'
        )


def choose(
    first: dict[int, Outcome], last: dict[int, Outcome], num: int
) -> Chosen:
    """Chooses by :meth:`Chosen.rule`; of equal ones the lower id is first.

    Args:
        first (dict): Outcomes by image id.
        last (dict): Those of the other run, of the same images.
        num (int): At each end; no image is shown twice.
    """
    gains = {
        i: (last[i].found - last[i].false) - (first[i].found - first[i].false)
        for i in sorted(first)
    }
    num = min(num, (len(gains) + 1) // 2)
    best = sorted(gains, key=lambda i: -gains[i])[:num]
    rest = [i for i in gains if i not in best]
    return Chosen(best, sorted(rest, key=lambda i: gains[i])[:num], gains)


def embed(path: str) -> str:
    """An image as a data URL, no larger than LONGEST.

    Raises:
        UserError: If there is no such image.
    """
    try:
        pixels = mmcv.imread(path, channel_order='rgb')
        image = Image.fromarray(pixels)
    except (OSError, AttributeError, ValueError, TypeError) as error:
        raise UserError(
            f'{path} is missing or no image: bring the test images there, or '
            'start in the folder that the config is relative to.'
        ) from error
    image.thumbnail((LONGEST, LONGEST))
    buffer = io.BytesIO()
    image.save(buffer, 'JPEG', quality=82)
    content = base64.b64encode(buffer.getvalue()).decode()
    return f'data:image/jpeg;base64,{content}'


def panel(
    info: dict, outcome: Outcome, names: dict, image: str, first: bool
) -> Markup:
    """An image with boxes: found, missed and false.

    Args:
        info (dict): COCO's record of the image.
        outcome (Outcome): What a run says of it.
        names (dict): Of the classes, by category id.
        image (str): Its data URL.
        first (bool): Whether this is the first panel of the image, which
            carries the pixels; the others point at them.
    """
    width, height = info['width'], info['height']
    mark = f'image-{info["id"]}'
    pixels = (
        f'<image id="{mark}" width="{width}" height="{height}" '
        f'href="{image}" preserveAspectRatio="none"/>'
        if first
        else f'<use href="#{mark}"/>'
    )
    boxes = []
    for number, item in enumerate(outcome.truth):
        if number not in outcome.matched:
            boxes.append(box('missed', item, names))
    for item, found in zip(outcome.detections, outcome.matched):
        boxes.append(box('false' if found is None else 'found', item, names))
    return Markup(
        f'<svg class="panel" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{outcome}">{pixels}{"".join(boxes)}</svg>'
    )


def box(kind: str, item: dict, names: dict) -> str:
    """One box; a finger or a mouse on it shows its class."""
    x, y, w, h = (round(float(value), 1) for value in item['bbox'])
    title = f'{kind}: {names[item["category_id"]]}'
    if 'score' in item:
        title += f', score {item["score"]:.2f}'
    place = f'x="{x}" y="{y}" width="{w}" height="{h}"'
    lines = f'<rect class="halo" {place}/><rect class="line" {place}/>'
    if kind == 'false':
        cross = f'd="M{x} {y}l{w} {h}M{x + w} {y}l{-w} {h}"'
        lines += f'<path class="line" {cross}/>'
    return f'<g class="{kind}"><title>{escape(title)}</title>{lines}</g>'
