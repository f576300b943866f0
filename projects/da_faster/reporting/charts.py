"""Line charts as SVG that follow the page: its width, its light, its dark."""

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
    """How a method looks in all charts.

    Attributes:
        color: Of its line.
        dashes: Matplotlib's line style.
    """

    color: str
    dashes: str | tuple

    def swatch(self) -> Markup:
        """A piece of the line, for the legend."""
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
    """A style for each method: the first and oracles are grey.

    Args:
        oracles (sequence of bool): Which are oracles.
    """
    result, number = [], 0
    for place, oracle in enumerate(oracles):
        if place == 0:
            result.append(Style('#888888', '-'))
        elif oracle:
            result.append(Style('#888888', (0, (3, 2))))
        else:
            turn, color = divmod(number, len(PALETTE))
            result.append(Style(PALETTE[color], DASHES[turn % len(DASHES)]))
            number += 1
    return result


class Line(NamedTuple):
    """What a method's seeds have in common, and how far they are apart.

    Attributes:
        style: Of the method.
        x: (points,).
        low: The least of the seeds, (points,).
        mean: Their mean.
        high: The most.
    """

    style: Style
    x: np.ndarray
    low: np.ndarray
    mean: np.ndarray
    high: np.ndarray


def line(style: Style, seeds: Sequence[dict]) -> Line | None:
    """The line of a method; None where no seed has a point.

    Args:
        style (Style): Of the method.
        seeds (sequence of dict): Of each seed, values by place. A place that
            not all seeds know is of those that do.
    """
    x = sorted(set().union(*seeds))
    if not x:
        return None
    values = [[s[place] for s in seeds if place in s] for place in x]
    return Line(
        style,
        np.array(x),
        *(np.array([f(v) for v in values]) for f in (min, np.mean, max)),
    )


def draw(
    lines: Sequence[Line],
    x_label: str,
    marks: dict[str, float] | None = None,
    y_max: float | None = None,
    zero: bool = True,
    salt: str = '',
) -> Markup:
    """Draws a chart.

    Args:
        lines (sequence of Line): A band from the least to the most of the
            seeds, a line at their mean.
        x_label (str): What runs to the right.
        marks (dict, optional): Heights of horizontal lines, by what stands on
            them.
        y_max (float, optional): The end of the y axis.
        zero (bool): Whether it begins at zero.
        salt (str): Differs from chart to chart of a page.

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
        # A mark near the top keeps the room for what stands on it.
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
    return Markup(in_page(buffer.getvalue()))


def in_page(svg: str) -> str:
    """Takes what a page must not have twice out of a file's SVG."""
    svg = svg[svg.index('<svg') :]
    svg = re.sub(r'<metadata>.*?</metadata>', '', svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', '<g', svg)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r'\1', svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1', svg)
    svg = re.sub(r'font: ([\d.]+px) [^;\"]*', r'font: \1 sans-serif', svg)
    return svg.replace(INK, 'currentColor')
