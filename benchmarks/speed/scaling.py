"""Measures how a training step grows with number and size of images."""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from mmengine.config import Config

from da_faster.errors import UserError

from .train_step import compare_steps


class Point(NamedTuple):
    """A training step with one number and one size of images.

    Attributes:
        images (int): Images of each domain.
        height (int): Height of the largest image in pixels.
        width (int): Width of the largest image in pixels.
        megapixels (float): Pixels of all images, padded to one size.
        seconds (float): Median of the seconds.
        bytes (float): Peak memory.
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
        cfg (Config): A config with two domains.
        factor (float): Factor of width and height.

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
        # The last transform packs the images, or makes two views of them.
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

    All numbers are measured with the config's own size, all sizes with the
    first number.

    Args:
        cfg (Config): The config of an adapted detector.
        images (Sequence[int]): Numbers of images of each domain.
        factors (Sequence[float]): Factors of width and height.
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

    A dashed line continues the first point in proportion.

    Args:
        points (list[Point]): The results of :func:`measure`.
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
