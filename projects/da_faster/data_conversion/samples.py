"""The samples that converters read: an image and its labelled boxes."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from da_faster.errors import UserError

AnyPath = str | Path
CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')


class ConversionError(UserError):
    """An error in the data or in an argument, and how to mend it."""


class Box(NamedTuple):
    """A labelled box; the fields are those of :meth:`CocoSplit.add_box`."""

    label: str
    x1: float
    y1: float
    x2: float
    y2: float
    area: float | None = None
    iscrowd: int = 0
    segmentation: dict | None = None


class Sample(NamedTuple):
    """An image and its boxes, as a converter has read them.

    Args:
        file_name: Path relative to the image folder.
        size: Width and height, pixels.
        boxes: All boxes of the image, with the labels of the dataset.
        notes: Number of boxes left out or altered while reading, by reason.
    """

    file_name: str
    size: tuple[int, int]
    boxes: Sequence[Box] = ()
    notes: dict[str, int] | None = None


def finite(*values) -> tuple[float, ...]:
    """Converts values to numbers.

    Raises:
        ValueError: If a value is no number, or not finite.
    """
    numbers = tuple(map(float, values))
    if not all(map(math.isfinite, numbers)):
        raise ValueError('a corner is not finite')
    return numbers


def from_relative(
    edges: Sequence[float], size: tuple[int, int]
) -> tuple[float, ...]:
    """Converts the edges of a box from fractions of the image to pixels.

    Args:
        edges: Left, upper, right and lower edge, 0 to 1.
        size: Width and height of the image, pixels.

    Returns:
        The edges in pixels, rounded to 1/100 pixel: label files have few
        digits, so a box at the edge of the image may end beside it.
    """
    # + 0 turns -0.0 into 0.0.
    return tuple(
        round(edge * length, 2) + 0 for edge, length in zip(edges, size * 2)
    )
