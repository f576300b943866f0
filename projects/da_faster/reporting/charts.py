"""Line charts as SVG that follow the page's width and light or dark theme."""

import io
import re
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
from markupsafe import Markup

from da_faster.visualization.figures import make_figure

INK = '#010203'  # becomes the colour of the page's text
PALETTE = ('#2f7fd1', '#e07b00', '#1a9e6b', '#d04a8f', '#8a63d2', '#a58a00')
DASHES = ('-', (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))


class Style(NamedTuple):
    """Style of a method's line, the same in all charts.

    Attributes:
        color: Colour of the line.
        dashes: Line style in Matplotlib's notation.
    """

    color: str
    dashes: str | tuple

    def swatch(self) -> Markup:
        """A sample of the line for the legend, as SVG."""
        dashes = (
            ''
            if self.dashes == '-'
            else ' '.join(str(3 * d) for d in self.dashes[1])
        )
        return Markup(
            '<svg class="swatch" viewBox="0 0 36 8" aria-hidden="true">'
            '<line x1="0" y1="4" x2="36" y2="4" stroke-width="3" '
            f'stroke="{self.color}" stroke-dasharray="{dashes}"/></svg>'
        )


def styles(oracles: Sequence[bool]) -> list[Style]:
    """Gives each method a style; the first method and oracles are grey.

    Args:
        oracles (sequence of bool): Whether each method is an oracle.
    """
    result, number = [], 0
    for index, oracle in enumerate(oracles):
        if index == 0:
            result.append(Style('#888888', '-'))
        elif oracle:
            result.append(Style('#888888', (0, (3, 2))))
        else:
            turn, color = divmod(number, len(PALETTE))
            result.append(Style(PALETTE[color], DASHES[turn % len(DASHES)]))
            number += 1
    return result


class Line(NamedTuple):
    """Values of a method's seeds: lowest, mean and highest at each point.

    Attributes:
        style: Style of the method.
        x: Positions on the x axis, (points,).
        low: Lowest value of the seeds, (points,).
        mean: Mean of the seeds, (points,).
        high: Highest value of the seeds, (points,).
    """

    style: Style
    x: np.ndarray
    low: np.ndarray
    mean: np.ndarray
    high: np.ndarray


def make_line(style: Style, seeds: Sequence[dict]) -> Line | None:
    """Makes the line of a method; None where no seed has a point.

    Args:
        style (Style): Style of the method.
        seeds (sequence of dict): Values by position on the x axis, a dict for
            each seed. Seeds without a value at a position are left out there.
    """
    x = sorted(set().union(*seeds))
    if not x:
        return None
    values = [[s[position] for s in seeds if position in s] for position in x]
    return Line(
        style,
        np.array(x),
        *(np.array([f(v) for v in values]) for f in (min, np.mean, max)),
    )


def draw_chart(
    lines: Sequence[Line],
    x_label: str,
    marks: dict[str, float] | None = None,
    y_max: float | None = None,
    zero: bool = True,
    salt: str = '',
) -> Markup:
    """Draws a chart.

    Args:
        lines (sequence of Line): Lines, drawn at the mean of the seeds with a
            band from the lowest to the highest.
        x_label (str): Label of the x axis.
        marks (dict, optional): Heights of horizontal lines, by their text.
        y_max (float, optional): End of the y axis.
        zero (bool): Whether the y axis begins at zero.
        salt (str): A text that no other chart of the page has. Ids inside the
            SVG are made from it.

    Returns:
        Markup: An ``svg`` element.
    """
    figure, ((axes,),) = make_figure(1, 1, (4, 2.5))
    for one in lines:
        axes.fill_between(
            one.x, one.low, one.high, color=one.style.color, alpha=0.18, lw=0
        )
        axes.plot(
            one.x,
            one.mean,
            color=one.style.color,
            ls=one.style.dashes,
            lw=1.8,
            marker='o' if len(one.x) == 1 else None,
        )
    for text, height in (marks or {}).items():
        axes.axhline(height, color=INK, lw=1, ls=(0, (2, 3)))
        axes.annotate(
            text,
            (1, height),
            xycoords=('axes fraction', 'data'),
            xytext=(-2, 3),
            textcoords='offset points',
            ha='right',
            fontsize=9,
            color=INK,
        )
    if zero:
        # Leave room for the text above the highest mark.
        top = max((*(marks or {}).values(), axes.get_ylim()[1] / 1.08))
        axes.set_ylim(0, y_max or 1.08 * top or 1)
    axes.set_xlabel(x_label, color=INK, fontsize=9)
    axes.tick_params(colors=INK, labelsize=9)
    axes.locator_params(nbins=5)
    axes.grid(color='#808080', alpha=0.25)
    for side, spine in axes.spines.items():
        spine.set_color(INK)
        spine.set_visible(side in ('left', 'bottom'))
    buffer = io.StringIO()
    with matplotlib.rc_context(
        {'svg.fonttype': 'none', 'svg.hashsalt': f'report{salt}'}
    ):
        figure.savefig(
            buffer, format='svg', transparent=True, metadata={'Date': None}
        )
    return Markup(make_inline(buffer.getvalue()))


def make_inline(svg: str) -> str:
    """Turns an SVG file into an element that a page may hold many of.

    Header, metadata, group ids and fixed sizes go; the text takes the page's
    font and colour.
    """
    svg = svg[svg.index('<svg') :]
    svg = re.sub(r'<metadata>.*?</metadata>', '', svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', '<g', svg)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r'\1', svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1', svg)
    svg = re.sub(r'font: ([\d.]+px) [^;\"]*', r'font: \1 sans-serif', svg)
    return svg.replace(INK, 'currentColor')
