"""Houses along the street and the skyline at its end, as patches in metres."""

import numpy as np

from da_faster.datasets.foggy_city.geometry import (
    Patch,
    pick_colour,
    rectangle,
)
from da_faster.datasets.foggy_city.palettes import FOLIAGE, ROOFS, SIGNS, WALLS


def house(rng, lighting, wall, near, far, outward, front_seen):
    """Makes one house of a row along the street.

    Args:
        rng (np.random.Generator): Random generator.
        lighting (Lighting): Light of the scene.
        wall (float): X of the street side, metres.
        near (float): Z of the near end, metres.
        far (float): Z of the far end, metres.
        outward (int): 1 on the right of the street, -1 on the left.
        front_seen (bool): Whether the side at ``near`` may be visible.

    Returns:
        list[Patch]: Patches of the house.
    """
    floors = int(rng.integers(2, 6))
    storey = rng.uniform(2.9, 3.5)
    height = floors * storey + rng.uniform(0.3, 1.0)
    paint, trim = pick_colour(rng, WALLS), pick_colour(rng, WALLS)
    pane = pick_colour(rng, ((60, 72, 84), (84, 98, 110), (44, 50, 58)))
    patches = []
    street_normal, front_normal = (-outward, 0, 0), (0, 0, -1)

    def street_side(z0, z1, y0, y1, colour, solid=False):
        points = np.array(
            [(wall, y0, z0), (wall, y0, z1), (wall, y1, z1), (wall, y1, z0)]
        )
        patches.append(
            Patch(points, lighting.shade(colour, street_normal), solid)
        )

    if front_seen:
        back = wall + 12.0 * outward
        points = [
            (wall, 0.0, near),
            (back, 0.0, near),
            (back, height, near),
            (wall, height, near),
        ]
        patches.append(
            Patch(np.array(points), lighting.shade(paint, front_normal))
        )
        for floor in range(floors):
            y = floor * storey + 1.0
            for at in np.arange(1.2, 10.5, 2.6):
                span = np.sort(
                    [wall + outward * at, wall + outward * (at + 1.1)]
                )
                outline = np.insert(
                    rectangle(*span, y, y + 1.4), 2, near, axis=1
                )
                patches.append(
                    Patch(outline, lighting.shade(pane, front_normal), False)
                )
    street_side(near, far, 0.0, height, paint, True)
    if rng.random() < 0.5:
        slope = np.array(
            [
                (wall, height, near),
                (wall, height, far),
                (wall + 4 * outward, height + 3.0, far),
                (wall + 4 * outward, height + 3.0, near),
            ]
        )
        tiles = lighting.shade(pick_colour(rng, ROOFS), street_normal)
        patches.append(Patch(slope, tiles))
    street_side(near, far, 0.0, 0.5, tuple(0.72 * c for c in paint))
    for floor in range(1, floors + 1):
        y = floor * storey
        street_side(near, far, y - 0.12, y + 0.12, trim)
    bay = rng.uniform(2.0, 2.9)
    wide, tall = rng.uniform(0.45, 0.62) * bay, rng.uniform(1.3, 1.9)
    frame = rng.random() < 0.6
    for floor in range(floors):
        y = floor * storey + 0.8
        for at in np.arange(near + 0.6, far - wide - 0.3, bay):
            if floor == 0:
                continue
            if frame and at < 45:
                street_side(
                    at - 0.14,
                    at + wide + 0.14,
                    y - 0.14,
                    y + tall + 0.14,
                    trim,
                )
            street_side(at, at + wide, y, y + tall, pane)
    if rng.random() < 0.55:
        # A shop: a window with a sign above, and bars between panes.
        sign = pick_colour(rng, SIGNS + WALLS)
        street_side(near + 0.4, far - 0.4, 0.45, 2.35, pane)
        street_side(near + 0.3, far - 0.3, 2.4, 2.85, sign)
        for at in np.arange(near + 1.5, far - 0.6, 1.9):
            street_side(at, at + 0.16, 0.45, 2.4, trim)
    else:
        for at in np.arange(near + 0.6, far - wide - 0.3, bay):
            if rng.random() < 0.3:
                street_side(at, at + 1.0, 0.0, 2.1, pick_colour(rng, ROOFS))
            else:
                street_side(at, at + wide, 1.0, 1.0 + tall, pane)
    return patches


def skyline(rng, lighting):
    """Makes houses and trees at the end of the street, 120 to 150 m ahead."""
    patches = []
    at = -90.0
    while at < 90:
        wide = rng.uniform(6, 18)
        depth = rng.uniform(120, 150)
        tall = rng.uniform(5, 16)
        colour = pick_colour(rng, WALLS if rng.random() < 0.6 else FOLIAGE)
        outline = np.insert(
            rectangle(at, at + wide, 0.0, tall), 2, depth, axis=1
        )
        patches.append(Patch(outline, lighting.shade(colour, (0, 0.3, -0.9))))
        at += wide
    return patches
