"""Street furniture and trees, as patches in metres.

They are there to mislead a detector: bollards and signs stand like persons,
hoops curve like bicycles, shelters and skips are boxes like buses and trucks.
"""

import numpy as np

from da_faster.datasets.foggy_city.geometry import (
    Patch,
    disc,
    pick_colour,
    rectangle,
)
from da_faster.datasets.foggy_city.palettes import FOLIAGE, ROOFS, SIGNS, WALLS

FURNITURE = (
    'bollard',
    'sign',
    'lamp',
    'light',
    'post_box',
    'cabinet',
    'hoops',
    'shelter',
    'skip',
    'column',
    'tree',
    'bin',
)


def tree(rng, pose):
    """Makes a flat tree that faces the camera: trunk and crown of discs."""
    height = rng.uniform(4.5, 8.0)
    crown = rng.uniform(1.4, 2.4)
    patches = []

    def add(outline, colour, normal):
        outline = np.asarray(outline, dtype=np.float64) + (pose.x, 0)
        patches.append(
            Patch(
                np.insert(outline, 2, pose.z, axis=1),
                pose.light.shade(colour, normal),
            )
        )

    add(
        [(-0.16, 0), (0.16, 0), (0.1, height - crown), (-0.1, height - crown)],
        (78, 64, 50),
        (0, 0.3, -0.9),
    )
    green = pick_colour(rng, FOLIAGE)
    for layer in range(22):
        angle, reach = rng.uniform(0, 2 * np.pi), crown * rng.uniform(0.1, 0.8)
        centre = (reach * np.cos(angle), height + 0.8 * reach * np.sin(angle))
        light = rng.uniform(0.6, 1.0) + 0.3 * layer / 22
        add(
            disc(centre, crown * rng.uniform(0.2, 0.42), 9),
            tuple(light * c for c in green),
            (0, 0.8, -0.6),
        )
    return patches


def furniture(rng, pose, kind):
    """Makes a piece of street furniture; ``kind`` is one of ``FURNITURE``."""
    if kind == 'tree':
        return tree(rng, pose)
    patches = []

    def flat(outline, colour, normal=(0, 0.3, -0.9), width=0.0):
        outline = np.asarray(outline, dtype=np.float64) + (pose.x, 0)
        patches.append(
            Patch(
                np.insert(outline, 2, pose.z, axis=1),
                pose.light.shade(colour, normal),
                width=width,
            )
        )

    grey = (90, 94, 98)
    if kind == 'bollard':
        tall = rng.uniform(0.8, 1.3)
        colour = pick_colour(rng, ROOFS + SIGNS[:1])
        flat(rectangle(-0.11, 0.11, 0, tall), colour)
        flat(rectangle(0.03, 0.11, 0, tall), tuple(0.7 * c for c in colour))
        flat(disc((0, tall), 0.13, 10), (200, 200, 196))
    elif kind == 'sign':
        tall = rng.uniform(1.9, 2.6)
        flat([(0, 0), (0, tall)], grey, width=0.07)
        if rng.random() < 0.5:
            flat(disc((0, tall), 0.32), pick_colour(rng, SIGNS))
            flat(disc((0, tall), 0.2), (230, 230, 226))
        else:
            flat(
                [(-0.36, tall - 0.25), (0.36, tall - 0.25), (0, tall + 0.4)],
                (200, 30, 30),
            )
            flat(
                [(-0.2, tall - 0.16), (0.2, tall - 0.16), (0, tall + 0.2)],
                (230, 230, 226),
            )
    elif kind == 'lamp':
        reach = -0.9 * np.sign(pose.x)
        flat([(0, 0), (0, 6.0), (reach, 6.5)], grey, width=0.12)
        flat(rectangle(-0.14, 0.14, 0, 1.0), grey)
    elif kind == 'light':
        flat([(0, 0), (0, 3.2)], (60, 64, 66), width=0.12)
        flat(rectangle(-0.19, 0.19, 2.4, 3.4), (34, 36, 38))
        lit = rng.integers(3)
        for lamp, colour in enumerate(
            ((230, 40, 30), (240, 180, 40), (50, 200, 90))
        ):
            dim = 1.0 if lamp == lit else 0.25
            flat(
                disc((0, 3.2 - 0.3 * lamp), 0.11, 8),
                tuple(dim * c for c in colour),
            )
    elif kind == 'post_box':
        colour = pick_colour(
            rng, ((230, 190, 40), (190, 30, 34), (40, 70, 150))
        )
        flat(rectangle(-0.07, 0.07, 0, 0.6), grey)
        flat(rectangle(-0.26, 0.26, 0.55, 1.4), colour)
        flat(rectangle(-0.2, 0.2, 1.15, 1.22), (30, 30, 30))
    elif kind == 'bin':
        colour = pick_colour(rng, ((60, 80, 60), (70, 72, 78), (150, 80, 40)))
        flat([(-0.24, 0), (0.24, 0), (0.3, 0.95), (-0.3, 0.95)], colour)
        flat(rectangle(-0.33, 0.33, 0.9, 1.05), tuple(0.6 * c for c in colour))
    elif kind == 'column':
        flat(rectangle(-0.6, 0.6, 0, 2.9), (150, 146, 138))
        for low in (0.5, 1.65):
            for left in (-0.52, 0.02):
                flat(
                    rectangle(left, left + 0.5, low, low + 1.0),
                    pick_colour(rng, SIGNS + WALLS),
                )
        flat(rectangle(-0.7, 0.7, 2.85, 3.1), (70, 76, 70))
    elif kind == 'hoops':
        arc = disc((0, 0.5), (0.32, 0.34), 20)[:11]
        hoop = np.vstack([(0.32, 0), arc, (-0.32, 0)])
        for at in np.arange(3) * 0.95:
            flat(hoop + (at, 0), (120, 122, 126), width=0.06)
    elif kind == 'cabinet':
        patches += pose.block(-0.6, 0.6, 0, 1.25, 0.25, (140, 146, 140))
        patches += pose.on_sides(
            rectangle(-0.02, 0.02, 0.1, 1.2), 0.26, (80, 84, 80)
        )
    elif kind == 'shelter':
        patches += pose.block(-1.9, 1.9, 0, 2.3, 0.05, (150, 170, 178))
        patches += pose.on_sides(
            rectangle(0.7, 1.7, 0.4, 2.1), 0.06, pick_colour(rng, SIGNS)
        )
        for post in (-1.9, 0.5, 1.85):
            patches += pose.on_sides(
                rectangle(post, post + 0.08, 0, 2.3), 0.07, (50, 52, 56)
            )
        patches += pose.block(-2.1, 2.1, 2.3, 2.5, 0.7, (70, 74, 78))
    elif kind == 'skip':
        colour = pick_colour(
            rng, ((50, 90, 150), (190, 110, 40), (90, 100, 90))
        )
        patches += pose.loft(
            [
                (-1.3, 0.1, 0.8),
                (1.3, 0.1, 0.8),
                (1.9, 1.5, 0.9),
                (-1.9, 1.5, 0.9),
            ],
            colour,
        )
        for rib in (-1.0, -0.3, 0.4, 1.1):
            patches += pose.on_sides(
                rectangle(rib, rib + 0.1, 0.15, 1.45),
                (0.82, 0.82, 0.91, 0.91),
                tuple(0.7 * c for c in colour),
            )
    else:
        raise ValueError(f'kind must be one of {FURNITURE}, got {kind!r}')
    return patches
