"""Pictures of the images on which two runs differ most."""

import base64
import io
from typing import NamedTuple

import mmcv
from markupsafe import Markup, escape
from PIL import Image

from da_faster.errors import UserError
from da_faster.visualization.outcomes import Outcome

MAX_SIDE = 900  # pixels of an embedded image's longer side


class Chosen(NamedTuple):
    """Ids of the images to show.

    Attributes:
        best: Ids of the images with the largest gains, the largest first.
        worst: Ids of the images with the largest losses, the largest first.
        gains: Gains of all images, by id.
    """

    best: list[int]
    worst: list[int]
    gains: dict[int, int]

    def rule(self, first: str, last: str) -> str:
        """Says how the images were chosen, and how many get better or worse.

        Args:
            first (str): Name of the baseline.
            last (str): Name of the method compared with it.
        """
        values = self.gains.values()
        better, worse = sum(v > 0 for v in values), sum(v < 0 for v in values)
        return (
            'The count of an image is its objects found minus its false '
            f'alarms. Shown are the images where the count rises most from '
            f'{first} to {last}, and as many where it falls most or rises '
            f'least. The count rises in {better} of {len(values)} images and '
            f'falls in {worse}'
        )


def choose_extremes(
    first: dict[int, Outcome], last: dict[int, Outcome], num: int
) -> Chosen:
    """Chooses images by :meth:`Chosen.rule`; at a tie the lower id is first.

    Args:
        first (dict): Outcomes of the baseline, by image id.
        last (dict): Outcomes of the other run on the same images.
        num (int): Number of images with the largest gains, and of images with
            the largest losses. No image is chosen twice.
    """
    gains = {
        i: (last[i].found - last[i].false) - (first[i].found - first[i].false)
        for i in sorted(first)
    }
    num = min(num, (len(gains) + 1) // 2)
    best = sorted(gains, key=lambda i: -gains[i])[:num]
    rest = [i for i in gains if i not in best]
    return Chosen(best, sorted(rest, key=lambda i: gains[i])[:num], gains)


def as_data_url(path: str) -> str:
    """Reads an image as a data URL, scaled down to MAX_SIDE.

    Raises:
        UserError: If the image cannot be read.
    """
    try:
        pixels = mmcv.imread(path, channel_order='rgb')
        image = Image.fromarray(pixels)
    except (OSError, AttributeError, ValueError, TypeError) as error:
        raise UserError(
            f'{path} is missing or no image: put the test images there, or '
            'start in the folder that the paths in the config are relative to.'
        ) from error
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, 'JPEG', quality=82)
    content = base64.b64encode(buffer.getvalue()).decode()
    return f'data:image/jpeg;base64,{content}'


def panel_svg(
    info: dict, outcome: Outcome, names: dict, image: str, first: bool
) -> Markup:
    """Draws an image with its found, missed and false boxes.

    Args:
        info (dict): COCO's record of the image.
        outcome (Outcome): Outcome of a run on the image.
        names (dict): Names of the classes, by category id.
        image (str): Data URL of the image.
        first (bool): Whether this is the first panel of the image. The first
            panel holds the pixels; the others refer to it.

    Returns:
        Markup: An ``svg`` element.
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
            boxes.append(box_svg('missed', item, names))
    for item, found in zip(outcome.detections, outcome.matched):
        status = 'false' if found is None else 'found'
        boxes.append(box_svg(status, item, names))
    return Markup(
        f'<svg class="panel" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{outcome}">{pixels}{"".join(boxes)}</svg>'
    )


def box_svg(status: str, item: dict, names: dict) -> str:
    """Draws a box, with class and score as its tooltip.

    Args:
        status (str): ``found``, ``missed`` or ``false``.
        item (dict): COCO's record of the object or detection.
        names (dict): Names of the classes, by category id.
    """
    x, y, w, h = (round(float(value), 1) for value in item['bbox'])
    title = f'{status}: {names[item["category_id"]]}'
    if 'score' in item:
        title += f', score {item["score"]:.2f}'
    place = f'x="{x}" y="{y}" width="{w}" height="{h}"'
    lines = f'<rect class="halo" {place}/><rect class="line" {place}/>'
    if status == 'false':
        cross = f'd="M{x} {y}l{w} {h}M{x + w} {y}l{-w} {h}"'
        lines += f'<path class="line" {cross}/>'
    return f'<g class="{status}"><title>{escape(title)}</title>{lines}</g>'
