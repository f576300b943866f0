"""Features of two domains as points: t-SNE, a panel for each detector."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from da_faster.visualization.figures import make_figure

# Told apart by the colour-blind, too, and one lighter than the other.
COLOURS = dict(source='#0072B2', target='#E69F00')
MARKERS = ('o', '^', 's', 'D', 'P')  # of the most frequent classes
OTHERS = 'x'
HEADLINE = (
    'Mixed colours: features of source and target look alike.\n'
    'A-distance: 2 where a classifier always tells them apart, 0 where never.'
)
NO_CLASS = -1  # of an image


class Panel(NamedTuple):
    """What stands in one place of the picture.

    Attributes:
        title: Two lines.
        points: Of each domain, (n, 2).
        kinds: Of each domain, index of each point's class, int, (n,);
            NO_CLASS: none.
    """

    title: str
    points: dict[str, np.ndarray]
    kinds: dict[str, np.ndarray]


def embed(source: np.ndarray, target: np.ndarray, seed: int) -> dict:
    """Places features of both domains in a plane (t-SNE).

    Van der Maaten and Hinton, JMLR 2008; of standardised features, of which
    the first 50 principal components are taken.

    Args:
        source (ndarray): (n, D).
        target (ndarray): (m, D).
        seed (int): Of its random numbers.

    Returns:
        dict[str, ndarray]: (n, 2) and (m, 2).
    """
    features = StandardScaler().fit_transform(np.concatenate([source, target]))
    parts = min(50, *features.shape)
    if features.any():
        features = PCA(parts, random_state=seed).fit_transform(features)
        points = TSNE(
            perplexity=min(30, (len(features) - 1) / 3),
            init='pca',
            random_state=seed,
        ).fit_transform(features)
    else:  # all alike, of which t-SNE crashes
        points = np.zeros((len(features), 2))
    return dict(source=points[: len(source)], target=points[len(source) :])


def markers(kinds: Sequence[np.ndarray], names: Sequence[str]) -> dict:
    """Marker and name of each class that is there.

    Args:
        kinds (sequence of ndarray): Classes of points, int.
        names (sequence of str): Of the classes.

    Returns:
        dict[int, tuple[str, str]]: By class, the most frequent first; those
        beyond five share a marker and the name ``other``.
    """
    every = np.concatenate(kinds)
    counts = np.bincount(every[every != NO_CLASS], minlength=len(names))
    found = {}
    for place, kind in enumerate(np.argsort(-counts, kind='stable')):
        if counts[kind]:
            found[int(kind)] = (
                (MARKERS[place], names[kind])
                if place < len(MARKERS)
                else (OTHERS, 'other')
            )
    return found


def draw(
    rows: Sequence[tuple[str, Sequence[Panel | None]]],
    names: Sequence[str],
) -> Figure:
    """Draws the panels.

    Args:
        rows (sequence of tuple): What the points of a row are, and of each
            detector its panel; None where there is none.
        names (sequence of str): Of the classes.
    """
    columns = max(len(panels) for _, panels in rows)
    size = max(2.7 * columns, 5), 2.8 * len(rows) + 0.9
    figure, axes = make_figure(len(rows), columns, size)
    shown = markers(
        [
            kinds
            for _, panels in rows
            for panel in filter(None, panels)
            for kinds in panel.kinds.values()
        ],
        names,
    )
    figure.suptitle(HEADLINE, fontsize=10)
    for (what, panels), line in zip(rows, axes):
        line[0].set_ylabel(what, fontsize=11)
        for panel, ax in zip(panels, line):
            ax.set(xticks=[], yticks=[])
            for spine in ax.spines.values():
                spine.set_color('0.8')
            if panel is None:
                ax.text(
                    0.5, 0.5, 'too few boxes', ha='center', color='0.4',
                    transform=ax.transAxes,
                )  # fmt: skip
                continue
            ax.set_title(panel.title, fontsize=10)
            scatter(ax, panel, shown)
    figure.legend(
        handles=legend(shown),
        loc='outside lower center',
        ncols=2 + len({text for _, text in shown.values()}),
        frameon=False,
    )
    return figure


def scatter(ax, panel: Panel, shown: dict) -> None:
    """Draws the points in a random order, so that no domain hides another."""
    points = np.concatenate(list(panel.points.values()))
    kinds = np.concatenate(list(panel.kinds.values()))
    colours = np.repeat(
        [COLOURS[domain] for domain in panel.points],
        [len(p) for p in panel.points.values()],
    )
    order = np.random.default_rng(0).permutation(len(points))
    size = 26 if len(points) < 500 else 12
    # A handful of slices, each of one marker, keeps the order mixed.
    for part in np.array_split(order, 12):
        for marker in sorted({m for m, _ in shown.values()} or {'o'}):
            here = [
                i
                for i in part
                if shown.get(int(kinds[i]), ('o', ''))[0] == marker
            ]
            edge = {} if marker == OTHERS else dict(ec='white', lw=0.3)
            ax.scatter(
                *points[here].T, s=size, c=colours[here], marker=marker,
                **edge,
            )  # fmt: skip


def legend(shown: dict) -> list[Artist]:
    """The domains by colour, the classes by marker."""
    handles = [
        Patch(color=colour, label=domain) for domain, colour in COLOURS.items()
    ]
    if len(shown) > 1:
        by_text = {text: marker for marker, text in shown.values()}
        handles += [
            Line2D([], [], ls='', marker=m, ms=7, color='0.45', label=text)
            for text, m in by_text.items()
        ]
    return handles
