"""Buses, as patches in metres."""

import numpy as np

from da_faster.datasets.foggy_city.geometry import pick_colour, rectangle

from .vehicle_parts import GLASS, LAMP, STEEL, TAIL, wheel_blocks, wheel_sides

BUS_PAINT = (
    (240, 200, 40),
    (200, 36, 40),
    (236, 236, 232),
    (36, 110, 180),
    (70, 150, 80),
    (110, 60, 130),
    (230, 130, 40),
)


def bus(rng, pose, size):
    """Makes a city bus: a long box with a row of windows and a lit sign."""
    length, height, width = size
    half, end = width / 2, length / 2
    paint, band = pick_colour(rng, BUS_PAINT), pick_colour(rng, BUS_PAINT)
    axles = (end - 2.4, -end + 3.0)
    patches = wheel_blocks(pose, axles, half - 0.04, 0.48)
    patches += pose.loft(
        [
            (-end, 0.32, half),
            (end, 0.32, half),
            (end, 1.1, half),
            (end - 0.12, height, half - 0.04),
            (-end + 0.05, height, half - 0.04),
        ],
        paint,
    )
    sill, lintel = 1.3, height - 0.5
    patches += pose.on_sides(
        rectangle(-end, end, 0.32, 0.85), half + 0.01, band
    )
    patches += pose.on_sides(
        rectangle(-end + 0.3, end - 0.15, sill - 0.05, lintel + 0.05),
        half + 0.01,
        (28, 32, 36),
    )
    step = rng.uniform(1.25, 1.6)
    for at in np.arange(-end + 0.4, end - 0.9, step):
        stop = min(at + step - 0.14, end - 0.25)
        patches += pose.on_sides(
            rectangle(at, stop, sill, lintel), half + 0.015, (84, 100, 112)
        )
        patches += pose.on_sides(
            rectangle(at, stop, lintel - 0.3, lintel),
            half + 0.02,
            (110, 126, 136),
        )
    for at in (end - 1.75, -0.6):
        patches += pose.on_sides(
            rectangle(at, at + 1.15, 0.4, lintel),
            half + 0.025,
            (40, 44, 48),
            sides=(1,),
        )
        for leaf in (at + 0.08, at + 0.62):
            patches += pose.on_sides(
                rectangle(leaf, leaf + 0.46, 0.55, lintel - 0.1),
                half + 0.03,
                (104, 120, 130),
                sides=(1,),
            )
    patches += pose.on_sides(
        rectangle(end - 2.6, end - 0.9, height - 0.38, height - 0.12),
        half + 0.02,
        (24, 22, 20),
    )
    slant = (end + 0.01, end + 0.01, end - 0.09, end - 0.09)
    patches += pose.on_end(
        rectangle(-half + 0.08, half - 0.08, 1.0, height - 0.1),
        slant,
        (30, 32, 36),
    )
    patches += pose.on_end(
        rectangle(-half + 0.16, half - 0.16, 1.08, height - 0.62),
        slant,
        (92, 110, 122),
    )
    patches += pose.on_end(
        rectangle(-half + 0.35, half - 0.35, height - 0.46, height - 0.2),
        slant,
        (255, 176, 40),
    )
    patches += pose.on_end(
        rectangle(-half, half, 0.32, 0.5), end + 0.01, STEEL
    )
    patches += pose.on_end(
        rectangle(-half + 0.2, half - 0.2, 1.6, height - 0.5),
        -end - 0.01,
        GLASS,
    )
    patches += pose.on_end(
        rectangle(-half + 0.3, half - 0.3, 0.55, 1.2),
        -end - 0.01,
        tuple(0.6 * c for c in paint),
    )
    for side in (-1, 1):
        span = np.sort([side * (half - 0.08), side * (half - 0.45)])
        patches += pose.on_end(rectangle(*span, 0.6, 0.82), end + 0.02, LAMP)
        span = np.sort([side * (half - 0.04), side * (half - 0.24)])
        patches += pose.on_end(rectangle(*span, 0.7, 1.4), -end - 0.02, TAIL)
    patches += wheel_sides(pose, axles, half + 0.02, 0.48)
    patches += pose.block(
        -end + 1.2, 0.0, height, height + 0.22, half - 0.5, (190, 192, 194)
    )
    return patches
