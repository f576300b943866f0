"""What converters read: samples with boxes, or a ConversionError."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from da_faster.errors import UserError

AnyPath = str | Path
CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')


class ConversionError(UserError):
    """The data or an argument is wrong; the text says how to mend it."""


class Box(NamedTuple):
    """A labelled box. See :meth:`CocoSplit.add_box` for its fields."""

    label: str
    x1: float
    y1: float
    x2: float
    y2: float
    area: float | None = None
    iscrowd: int = 0
    segmentation: dict | None = None


class Sample(NamedTuple):
    """What a converter read of one image. All labels are still there.

    Args:
        file_name: Relative to the image folder.
        size: Width and height, pixels.
        boxes: Its boxes, with the labels of the dataset.
        notes: How much was left out or altered while reading, by reason.
    """

    file_name: str
    size: tuple[int, int]
    boxes: Sequence[Box] = ()
    notes: dict[str, int] | None = None


def finite(*values) -> tuple[float, ...]:
    """The values as numbers. Raises a ValueError where one is not finite."""
    numbers = tuple(map(float, values))
    if not all(map(math.isfinite, numbers)):
        raise ValueError('a corner is not finite')
    return numbers


def from_relative(
    edges: Sequence[float], size: tuple[int, int]
) -> tuple[float, ...]:
    """Edges in pixels, of edges relative to the image.

    Args:
        edges: Left, upper, right and lower one, 0 to 1.
        size: Width and height of the image.

    Returns:
        To 1/100 pixel, as a few digits leave the edge of the image a little
        off. (+ 0 makes -0 a 0.)
    """
    return tuple(
        round(edge * length, 2) + 0 for edge, length in zip(edges, size * 2)
    )
