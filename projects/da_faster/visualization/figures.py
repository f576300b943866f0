"""Figures that leave the caller's Matplotlib as it is."""

import os
import os.path as osp

from matplotlib.figure import Figure
from matplotlib.text import Text

from da_faster.errors import UserError


def make_figure(
    rows: int, columns: int, size: tuple[float, float]
) -> tuple[Figure, list]:
    """A figure without a window, of no backend.

    Args:
        rows (int): Of axes.
        columns (int): Of axes.
        size (tuple[float, float]): Width and height, inches.

    Returns:
        tuple: The figure, and its axes as an array (rows, columns).
    """
    figure = Figure(figsize=size, layout='constrained')
    return figure, figure.subplots(rows, columns, squeeze=False)


def save_figure(figure: Figure, out: str) -> None:
    """Writes a figure; makes the folder where it is missing.

    Raises:
        UserError: If the path cannot be written, or is of no picture.
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
