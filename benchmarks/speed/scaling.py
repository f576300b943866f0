"""How a training step grows with the number and the size of its images."""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from mmengine.config import Config

from da_faster.errors import UserError

from .train_step import compare_steps


class Point(NamedTuple):
    """A step of one number and one size of images.

    Attributes:
        images: Of each domain.
        height: Of the largest image, pixels.
        width: Of the largest image, pixels.
        megapixels: Of all images, padded alike.
        seconds: Median.
        bytes: Peak memory.
    """

    images: int
    height: int
    width: int
    megapixels: float
    seconds: float
    bytes: float


def resized(cfg: Config, factor: float) -> Config:
    """Copies a config, with training images of another size.

    Args:
        cfg (Config): Of two domains.
        factor (float): What width and height are multiplied by.

    Raises:
        UserError: If a domain's dataset has no pipeline of its own.
    """
    cfg = copy.deepcopy(cfg)
    for loader in (cfg.train_dataloader, cfg.train_cfg.target_dataloader):
        if 'pipeline' not in loader.dataset:
            raise UserError(
                f'--factors: {loader.dataset.type} has no pipeline to resize '
                'images in; take a config of one dataset a domain.'
            )
        # Last comes what packs the images, or makes two views of them.
        loader.dataset.pipeline.insert(
            -1, dict(type='Resize', scale_factor=float(factor))
        )
    return cfg


def measure(
    cfg: Config,
    images: Sequence[int],
    factors: Sequence[float],
    repeats: int,
) -> list[Point]:
    """Times the step with each number of images, and with each size.

    Numbers are of images of the config's own size, sizes of the first number
    of images.

    Args:
        cfg (Config): Of an adapted detector.
        images (sequence of int): Of each domain.
        factors (sequence of float): Of width and height.
        repeats (int): Rounds that count.
    """
    cases = [(number, 1.0) for number in images]
    cases += [(images[0], factor) for factor in factors if factor != 1]
    points = []
    for number, factor in cases:
        case = cfg if factor == 1 else resized(cfg, factor)
        step = compare_steps(case, number, ['ours'], repeats)
        height, width = (max(axis) for axis in zip(*step.sizes))
        points.append(
            Point(
                images=number,
                height=height,
                width=width,
                megapixels=2 * number * height * width / 1e6,
                seconds=float(np.median(step.time['ours'])),
                bytes=step.memory['ours'],
            )
        )
    return points


def draw(points: list[Point]) -> Figure:
    """Draws time and memory against the pixels of a step.

    A dashed line goes on from the first point in proportion.

    Args:
        points (list[Point]): Of :func:`measure`.
    """
    figure = Figure(figsize=(9, 3.6), layout='constrained')
    axes = figure.subplots(1, 2)
    first = points[0]
    size = first.height, first.width
    series = {
        'more images': [p for p in points if (p.height, p.width) == size],
        'other sizes': [p for p in points if p.images == first.images],
    }
    panels = {
        's a step': lambda p: p.seconds,
        'peak memory, GiB': lambda p: p.bytes / 2**30,
    }
    for ax, (label, value) in zip(axes, panels.items()):
        for marker, (name, line) in zip('os', series.items()):
            line = sorted(line, key=lambda p: p.megapixels)
            ax.plot(
                [p.megapixels for p in line],
                [value(p) for p in line],
                marker=marker,
                label=name,
            )
        end = max(p.megapixels for p in points)
        ax.plot(
            [0, end],
            [0, value(first) * end / first.megapixels],
            'k--',
            linewidth=0.8,
            label='in proportion to the first',
        )
        ax.set_xlabel('megapixels a step, both domains')
        ax.set_ylabel(label)
        ax.set_ylim(bottom=0)
    axes[0].legend(fontsize=9)
    return figure
