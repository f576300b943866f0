"""Trucks, as patches in metres."""

import numpy as np

from da_faster.datasets.foggy_city.geometry import pick_colour, rectangle

from .vehicle_parts import GLASS, LAMP, STEEL, TAIL, wheel_blocks, wheel_sides

TRUCK_PAINT = (
    (236, 236, 232),
    (200, 50, 40),
    (44, 84, 156),
    (238, 190, 50),
    (60, 120, 70),
    (224, 120, 40),
    (120, 124, 130),
)


def truck(rng, pose, size):
    """Makes a lorry: a cab, a gap and a box, curtain or tipper body."""
    length, height, width = size
    half, end = width / 2, length / 2
    cab_back, roof = end - 1.9, min(2.75, 0.84 * height)
    cab_paint = pick_colour(rng, TRUCK_PAINT)
    load = pick_colour(rng, TRUCK_PAINT)
    kind = rng.integers(3)
    top = height if kind < 2 else 0.66 * height
    axles = (end - 1.25, -end + 1.2, -end + 2.25)
    patches = wheel_blocks(pose, axles, half - 0.05, 0.5)
    patches += pose.block(-end + 0.1, end - 0.3, 0.5, 0.95, half - 0.3, STEEL)

    body = pose.block(-end, cab_back - 0.35, 0.95, top, half, load)
    dark = tuple(0.68 * c for c in load)
    back, fore = -end, cab_back - 0.35
    if kind == 0:
        # A box with a firm's sign.
        mark = pick_colour(rng, TRUCK_PAINT)
        body += pose.on_sides(
            rectangle(back + 0.5, fore - 0.4, 0.42 * height, 0.74 * height),
            half + 0.01,
            mark,
        )
        body += pose.on_sides(
            rectangle(back + 0.9, fore - 0.8, 0.53 * height, 0.63 * height),
            half + 0.01,
            load,
        )
    else:
        # The posts of a tipper, or the folds of a curtain.
        for at in np.arange(back + 0.35, fore, 0.7 if kind == 2 else 0.45):
            body += pose.on_sides(
                rectangle(at, at + 0.12, 0.95, top), half + 0.01, dark
            )
    body += pose.on_sides(rectangle(back, fore, 0.95, 1.1), half + 0.01, STEEL)
    for left, right in ((-half + 0.1, -0.04), (0.04, half - 0.1)):
        body += pose.on_end(
            rectangle(left, right, 1.12, top - 0.12), -end - 0.01, dark
        )
    for side in (-1, 1):
        span = np.sort([side * (half - 0.05), side * (half - 0.4)])
        body += pose.on_end(rectangle(*span, 0.78, 1.02), -end - 0.02, TAIL)
        bar = np.sort([side * 0.45, side * 0.53])
        body += pose.on_end(
            rectangle(*bar, 1.2, top - 0.2), -end - 0.02, (190, 190, 190)
        )
    body += pose.on_end(
        rectangle(-half + 0.1, half - 0.1, 0.5, 0.62),
        -end - 0.01,
        (200, 60, 40),
    )

    cab = pose.loft(
        [
            (cab_back, 0.5, half - 0.05),
            (end, 0.5, half - 0.05),
            (end, 1.5, half - 0.05),
            (end - 0.2, roof, half - 0.1),
            (cab_back, roof, half - 0.1),
        ],
        cab_paint,
    )
    cab += pose.on_sides(
        [
            (cab_back + 0.6, 1.5),
            (end - 0.12, 1.5),
            (end - 0.26, roof - 0.3),
            (cab_back + 0.6, roof - 0.3),
        ],
        half,
        GLASS,
    )
    cab += pose.on_sides(
        rectangle(cab_back + 0.5, cab_back + 0.56, 0.7, roof - 0.25),
        half,
        tuple(0.6 * c for c in cab_paint),
    )
    cab += pose.on_end(
        [
            (-half + 0.15, 1.55),
            (half - 0.15, 1.55),
            (half - 0.22, roof - 0.2),
            (-half + 0.22, roof - 0.2),
        ],
        np.array((end, end, end - 0.17, end - 0.17)) + 0.01,
        (66, 80, 90),
    )
    cab += pose.on_end(
        rectangle(-half + 0.45, half - 0.45, 0.85, 1.4), end + 0.01, STEEL
    )
    cab += pose.on_end(
        rectangle(-half + 0.05, half - 0.05, 0.5, 0.75),
        end + 0.01,
        (70, 72, 76),
    )
    for side in (-1, 1):
        span = np.sort([side * (half - 0.12), side * (half - 0.42)])
        cab += pose.on_end(rectangle(*span, 0.72, 0.92), end + 0.02, LAMP)
    discs = wheel_sides(pose, axles, half + 0.02, 0.5)
    # Draw the part that is farther from the camera first.
    parts = [body, cab] if pose.eye[0] > cab_back else [cab, body]
    return patches + parts[0] + parts[1] + discs
