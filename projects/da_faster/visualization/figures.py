"""Figures of images with boxes, which leave Matplotlib's settings alone."""

import os
import os.path as osp
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from da_faster.errors import UserError


def make_figure(
    rows: int, columns: int, size: tuple[float, float]
) -> tuple[Figure, np.ndarray]:
    """Makes a figure without a window and without a backend.

    Args:
        rows (int): Rows of axes.
        columns (int): Columns of axes.
        size (tuple[float, float]): Width and height, inches.

    Returns:
        tuple: The figure, and its axes as an array (rows, columns).
    """
    figure = Figure(figsize=size, layout='constrained')
    return figure, figure.subplots(rows, columns, squeeze=False)


def show_image(ax: Axes, image: np.ndarray) -> None:
    """Shows an image in its own pixels, without ticks.

    Args:
        ax (Axes): Where to show it.
        image (ndarray): (H, W, 3), RGB, uint8.
    """
    # A box begins at the edge of a pixel, not at its middle.
    ax.imshow(image, extent=(0, image.shape[1], image.shape[0], 0))
    ax.set_axis_off()
    ax.autoscale(False)  # boxes may reach beyond the image


def draw_box(
    ax: Axes,
    box: Sequence[float],
    name: str,
    colour: str | tuple,
    crossed: bool = False,
    **line,
) -> None:
    """Outlines a box and writes its name above it.

    Args:
        ax (Axes): Axes of :func:`show_image`.
        box (Sequence[float]): Left, top, width and height in pixels.
        name (str): The name; inside the box where it would leave the image.
        colour (str | tuple): Colour of the outline and behind the name.
        crossed (bool): Whether to cross the box out.
        **line: Options of the outline, as ``lw`` of Matplotlib's Rectangle.
    """
    x, y, w, h = box
    ax.add_patch(Rectangle((x, y), w, h, fc='none', ec=colour, **line))
    for ends in ((y, y + h), (y + h, y)) if crossed else ():
        ax.plot((x, x + w), ends, color=colour, lw=1)
    inside = y < max(ax.get_xlim()) / 40
    ax.text(
        max(x, 0),
        max(y, 0),
        name,
        fontsize=6,
        va='top' if inside else 'bottom',
        clip_on=True,
        bbox=dict(fc=colour, ec='none', pad=0.6, clip_on=True),
    )


def save_figure(figure: Figure, out: str) -> None:
    """Writes a figure, and makes its folder where it is missing.

    Raises:
        UserError: If the file cannot be written, or has no suffix of a
            picture.
    """
    if not osp.splitext(out)[1]:  # Matplotlib would write another file
        raise UserError(
            f'--out {out}: the file needs a suffix, for example .png.'
        )
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a title or a class may have a $
    try:
        os.makedirs(osp.dirname(out) or '.', exist_ok=True)
        figure.savefig(out, dpi=110)
    except (OSError, ValueError) as error:
        raise UserError(
            f'{out} cannot be written ({error}); give another --out, for '
            'example compare.png.'
        ) from error
