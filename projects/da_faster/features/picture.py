"""Draws features of two domains as points (t-SNE), a panel per detector."""

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

# The colour-blind can tell these apart; one is also lighter than the other.
COLOURS = dict(source='#0072B2', target='#E69F00')
MARKERS = ('o', '^', 's', 'D', 'P')  # for the most frequent classes
OTHERS = 'x'
HEADLINE = (
    'Mixed colours: features of source and target look alike.\n'
    'A-distance: 2 where a classifier always tells them apart, 0 where never.'
)
NO_CLASS = -1  # class of a point that stands for a whole image


class Panel(NamedTuple):
    """One panel of the picture.

    Attributes:
        title: Title, one or two lines.
        points: Positions of the points, (n, 2), by domain.
        classes: Class index of each point or NO_CLASS, int, (n,), by domain.
    """

    title: str
    points: dict[str, np.ndarray]
    classes: dict[str, np.ndarray]


def embed(source: np.ndarray, target: np.ndarray, seed: int) -> dict:
    """Places features of both domains in a plane by t-SNE.

    Features are standardised and reduced to 50 principal components first.
    t-SNE: van der Maaten and Hinton, JMLR 2008.

    Args:
        source (ndarray): Features of the source, (n, D).
        target (ndarray): Features of the target, (m, D).
        seed (int): Seed of the random numbers.

    Returns:
        dict[str, ndarray]: Points of the source, (n, 2), and of the target,
        (m, 2).
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
    else:  # t-SNE crashes if all features are equal
        points = np.zeros((len(features), 2))
    return dict(source=points[: len(source)], target=points[len(source) :])


def markers(classes: Sequence[np.ndarray], names: Sequence[str]) -> dict:
    """Chooses a marker and a name for each class that has points.

    Args:
        classes (sequence of ndarray): Class indices of points, int.
        names (sequence of str): Names of the classes.

    Returns:
        dict[int, tuple[str, str]]: Marker and name by class index, the most
        frequent class first. All classes after the fifth share a marker and
        the name ``other``.
    """
    every = np.concatenate(classes)
    counts = np.bincount(every[every != NO_CLASS], minlength=len(names))
    found = {}
    for rank, index in enumerate(np.argsort(-counts, kind='stable')):
        if counts[index]:
            found[int(index)] = (
                (MARKERS[rank], names[index])
                if rank < len(MARKERS)
                else (OTHERS, 'other')
            )
    return found


def draw(
    rows: Sequence[tuple[str, Sequence[Panel | None]]],
    names: Sequence[str],
) -> Figure:
    """Draws the panels.

    Args:
        rows (sequence of tuple): Label of a row, and the panels of the
            detectors, None for a detector with too few boxes.
        names (sequence of str): Names of the classes.
    """
    columns = max(len(panels) for _, panels in rows)
    size = max(2.7 * columns, 5), 2.8 * len(rows) + 0.9
    figure, axes = make_figure(len(rows), columns, size)
    shown = markers(
        [
            classes
            for _, panels in rows
            for panel in filter(None, panels)
            for classes in panel.classes.values()
        ],
        names,
    )
    figure.suptitle(HEADLINE, fontsize=10)
    for (label, panels), line in zip(rows, axes):
        line[0].set_ylabel(label, fontsize=11)
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
    classes = np.concatenate(list(panel.classes.values()))
    colours = np.repeat(
        [COLOURS[domain] for domain in panel.points],
        [len(p) for p in panel.points.values()],
    )
    order = np.random.default_rng(0).permutation(len(points))
    size = 26 if len(points) < 500 else 12
    # One call draws one marker: draw by slices, to keep the order mixed.
    for part in np.array_split(order, 12):
        for marker in sorted({m for m, _ in shown.values()} or {'o'}):
            here = [
                i
                for i in part
                if shown.get(int(classes[i]), ('o', ''))[0] == marker
            ]
            edge = {} if marker == OTHERS else dict(ec='white', lw=0.3)
            ax.scatter(
                *points[here].T, s=size, c=colours[here], marker=marker,
                **edge,
            )  # fmt: skip


def legend(shown: dict) -> list[Artist]:
    """Makes the legend: domains by colour, classes by marker."""
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
