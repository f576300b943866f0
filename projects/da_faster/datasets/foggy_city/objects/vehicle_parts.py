"""Wheels and colours that cars, trucks and buses share."""

import numpy as np

from da_faster.datasets.foggy_city.geometry import Patch, disc

GLASS = (52, 64, 74)
RUBBER = (22, 22, 24)
STEEL = (46, 48, 52)
LAMP = (250, 246, 220)
TAIL = (210, 24, 22)


def wheel_blocks(pose, axles, half, radius):
    """Makes wheels as blocks, as they look from the front and the back."""
    patches = []
    for axle in axles:
        for inner in (-half, half - 0.24):
            wheel = pose.moved(axle, inner + 0.12)
            patches += wheel.block(
                -0.8 * radius, 0.8 * radius, 0.0, radius, 0.12, RUBBER
            )
    return patches


def wheel_sides(pose, axles, half, radius):
    """Makes wheels as discs, as they look from the side: arch, tyre, rim."""
    patches = []
    for axle in axles:
        centre = (axle, radius)
        for size, colour in (
            (1.2, (14, 14, 15)),
            (1.0, RUBBER),
            (0.62, (150, 152, 156)),
            (0.2, (60, 60, 62)),
        ):
            outline = disc(centre, radius * size)
            outline[:, 1] = np.maximum(outline[:, 1], 0.0)
            patches += pose.on_sides(outline, half, colour)
    # Solid patches: the lower half of a wheel is below the body.
    return [Patch(p.points, p.colour) for p in patches]
