"""Bicycles, as patches in metres."""

import numpy as np

from da_faster.datasets.foggy_city.geometry import (
    Patch,
    disc,
    pick_colour,
    rectangle,
)
from da_faster.datasets.foggy_city.palettes import CAR_PAINT


def bicycle(rng, pose, size):
    """Makes a flat bicycle, in the plane of its wheels."""
    scale = size[1] / 1.05
    frame = pose.light.shade(pick_colour(rng, CAR_PAINT), (0, 0.6, -0.8))
    tyre = pose.light.shade((26, 26, 28))
    metal = pose.light.shade((150, 152, 156))
    patches = []

    def line(points, colour, width):
        points = np.asarray(points, dtype=np.float64) * scale
        local = np.column_stack([points, np.zeros(len(points))])
        patches.append(Patch(pose.world(local), colour, width=width))

    hubs, radius = ((-0.53, 0.34), (0.53, 0.34)), 0.33
    for hub in hubs:
        rim = disc(hub, radius, 20)
        spokes = rng.uniform(0, np.pi)
        for turn in spokes + np.arange(3) * np.pi / 3:
            arm = radius * np.array((np.cos(turn), np.sin(turn)))
            line([hub - arm, hub + arm], metal, 0.012)
        line(np.vstack([rim, rim[:1]]), tyre, 0.06)
    crank, seat, head = (-0.08, 0.3), (-0.2, 0.8), (0.38, 0.82)
    line([hubs[0], crank, head, seat, crank], frame, 0.055)
    line([hubs[0], (-0.19, 0.72)], frame, 0.045)
    line([hubs[1], head, (0.36, 0.98)], frame, 0.05)
    line([(0.24, 1.0), (0.36, 0.98), (0.44, 1.02)], tyre, 0.05)
    line([(-0.2, 0.8), (-0.22, 0.9)], metal, 0.045)
    line([(-0.34, 0.92), (-0.1, 0.91)], tyre, 0.08)
    line(disc(crank, 0.09, 8), metal, 0.03)
    if rng.random() < 0.4:
        basket = rectangle(0.4, 0.68, 0.72, 0.98)
        line(np.vstack([basket, basket[:1]]), metal, 0.04)
        line([(0.4, 0.85), (0.68, 0.85)], metal, 0.03)
    return patches
