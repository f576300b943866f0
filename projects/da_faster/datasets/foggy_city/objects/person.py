"""Persons, as patches in metres."""

import numpy as np

from da_faster.datasets.foggy_city.geometry import (
    Patch,
    disc,
    pick_colour,
    rectangle,
)

CLOTHES = (
    (30, 32, 40),
    (52, 60, 92),
    (120, 30, 36),
    (190, 180, 160),
    (70, 84, 60),
    (220, 220, 216),
    (150, 60, 110),
    (230, 170, 40),
    (40, 110, 140),
    (96, 70, 52),
    (110, 112, 118),
    (200, 60, 50),
)

SKIN = ((236, 196, 168), (214, 168, 134), (160, 112, 80), (104, 70, 50))
HAIR = ((30, 24, 20), (80, 52, 32), (150, 116, 70), (130, 128, 126))


def person(rng, pose, size):
    """Makes a flat walking or standing figure that faces the camera."""
    height = size[1]
    scale = height / 1.75
    skin, hair = pick_colour(rng, SKIN), pick_colour(rng, HAIR)
    top, legs = pick_colour(rng, CLOTHES), pick_colour(rng, CLOTHES)
    stride = rng.uniform(0.02, 0.3)
    swing = rng.uniform(0.05, 0.28)
    turned = rng.choice((-1, 1))
    patches = []

    def add(outline, colour, light=1.0):
        points = np.asarray(outline, dtype=np.float64) * scale
        world = np.column_stack(
            [
                pose.x + turned * points[:, 0],
                points[:, 1],
                np.full(len(points), pose.z),
            ]
        )
        shade = pose.light.shade(colour, (0.35 * turned, 0.35, -0.86))
        patches.append(Patch(world, tuple(int(light * c) for c in shade)))

    def limb(start, stop, wide, narrow, colour, light=1.0):
        start, stop = np.array(start), np.array(stop)
        across = np.array([stop[1] - start[1], start[0] - stop[0]])
        across = across / np.linalg.norm(across)
        add(
            [
                start + across * wide,
                stop + across * narrow,
                stop - across * narrow,
                start - across * wide,
            ],
            colour,
            light,
        )

    # Far arm, legs, body and head, near arm: each covers the ones before.
    limb((0.05, 1.38), (0.1 + swing, 0.82), 0.065, 0.05, top, 0.75)
    add(disc((0.1 + swing, 0.79), 0.055, 8), skin)
    for side, light in ((1, 0.78), (-1, 1.0)):
        foot = side * stride
        limb((side * 0.07, 0.92), (foot, 0.06), 0.105, 0.065, legs, light)
        add(
            [
                (foot - 0.07, 0.0),
                (foot + 0.17, 0.0),
                (foot + 0.12, 0.09),
                (foot - 0.07, 0.1),
            ],
            (28, 24, 22),
        )
    style = rng.integers(4)
    hem = (0.84, 0.84, 0.5, 0.84)[style]
    add(
        [
            (-0.14, 1.48),
            (0.14, 1.48),
            (0.23, 1.38),
            (0.19, hem),
            (-0.19, hem),
            (-0.23, 1.38),
        ],
        top,
    )
    add([(0.06, 1.46), (0.2, 1.38), (0.17, hem), (0.08, hem)], top, 0.8)
    if style == 1:
        add([(-0.18, 0.95), (0.18, 0.95), (0.27, 0.5), (-0.27, 0.5)], legs)
    if style == 3:
        bag = pick_colour(rng, CLOTHES)
        add([(-0.36, 1.42), (-0.17, 1.45), (-0.15, 0.98), (-0.36, 0.98)], bag)
    add(rectangle(-0.055, 0.055, 1.44, 1.56), skin, 0.85)
    add(disc((0.01, 1.63), (0.1, 0.125), 12), skin)
    add(
        [
            (-0.11, 1.6),
            (-0.1, 1.71),
            (0.0, 1.77),
            (0.09, 1.72),
            (0.1, 1.68),
            (-0.02, 1.68),
            (-0.05, 1.58),
        ],
        hair,
    )
    limb((-0.16, 1.4), (-0.15 - swing, 0.84), 0.065, 0.05, top, 0.9)
    add(disc((-0.15 - swing, 0.8), 0.055, 8), skin)
    if rng.random() < 0.25:
        add(
            rectangle(-0.26 - swing, -0.06 - swing, 0.48, 0.76),
            pick_colour(rng, CLOTHES),
        )
    return patches
