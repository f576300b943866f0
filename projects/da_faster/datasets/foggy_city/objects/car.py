"""Cars, as patches in metres."""

import numpy as np

from da_faster.datasets.foggy_city.geometry import pick_colour, rectangle
from da_faster.datasets.foggy_city.palettes import CAR_PAINT

from .vehicle_parts import GLASS, LAMP, STEEL, TAIL, wheel_blocks, wheel_sides

PLATE = (226, 226, 214)


def car(rng, pose, size):
    """Makes a hatchback, a saloon or an estate."""
    length, height, width = size
    half, end = width / 2, length / 2
    paint = pick_colour(rng, CAR_PAINT)
    belt = 0.62 * height
    rear, roof_rear = (
        (end - 0.15, end - 0.55),
        (end - 0.75, end - 1.35),
        (end - 0.08, end - 0.35),
    )[rng.integers(3)]
    front, roof_front = 0.19 * length, 0.03 * length
    axles, radius = (-0.3 * length, 0.31 * length), 0.22 * height
    patches = wheel_blocks(pose, axles, half - 0.04, radius)
    patches += pose.loft(
        [
            (-end + 0.06, 0.26, half - 0.05),
            (-end, 0.5, half),
            (-end + 0.05, belt - 0.02, half - 0.03),
            (front, belt, half - 0.03),
            (end - 0.2, 0.86 * belt, half - 0.06),
            (end, 0.5, half - 0.04),
            (end - 0.06, 0.24, half - 0.06),
        ],
        paint,
    )
    # Sill, belt line and door gaps.
    dark = tuple(0.55 * c for c in paint)
    patches += pose.on_sides(
        rectangle(-end + 0.1, end - 0.1, 0.24, 0.34), half + 0.01, STEEL
    )
    patches += pose.on_sides(
        rectangle(-end + 0.1, end - 0.3, 0.74 * belt, 0.79 * belt),
        half + 0.01,
        dark,
    )
    for gap in (front - 0.1, -0.12 * length):
        patches += pose.on_sides(
            rectangle(gap - 0.02, gap + 0.02, 0.34, belt), half + 0.01, dark
        )
    patches += wheel_sides(pose, axles, half + 0.02, radius)
    front_y = 0.52 * belt
    for side in (-1, 1):
        lamps = np.sort([side * (half - 0.08), side * (half - 0.42)])
        patches += pose.on_end(
            rectangle(*lamps, front_y + 0.1, front_y + 0.3), end + 0.01, LAMP
        )
        patches += pose.on_end(
            rectangle(*lamps, front_y + 0.14, front_y + 0.4), -end - 0.01, TAIL
        )
    patches += pose.on_end(
        rectangle(-0.42, 0.42, front_y - 0.02, front_y + 0.22),
        end + 0.01,
        (30, 30, 32),
    )
    for tip in (end + 0.01, -end - 0.01):
        patches += pose.on_end(
            rectangle(-half + 0.1, half - 0.1, 0.26, 0.38), tip, STEEL
        )
        patches += pose.on_end(rectangle(-0.26, 0.26, 0.4, 0.51), tip, PLATE)
    # The cabin is a solid in the colour of the car; panes are paint.
    low, high = half - 0.07, half - 0.24
    profile = [
        (-rear, belt - 0.02, low),
        (front, belt - 0.02, low),
        (roof_front, height, high),
        (-roof_rear, height, high),
    ]
    patches += pose.loft(profile, paint)

    def pane(back, fore):
        """Side window between two positions along the cabin, 0 to 1."""
        y0, y1 = 0.12, 0.84
        corners, halves = [], []
        for along, up in ((back, y0), (fore, y0), (fore, y1), (back, y1)):
            base = -rear + along * (front + rear)
            top = -roof_rear + along * (roof_front + roof_rear)
            corners.append(
                (base + up * (top - base), belt + up * (height - belt))
            )
            halves.append(low + up * (high - low) + 0.01)
        return corners, halves

    for back, fore in ((0.07, 0.47), (0.52, 0.92)):
        patches += pose.on_sides(*pane(back, fore), GLASS)
    for base, top, glass in (
        (front, roof_front, (74, 88, 98)),
        (-rear, -roof_rear, GLASS),
    ):
        span = [base + up * (top - base) for up in (0.1, 0.1, 0.86, 0.86)]
        sign = 1 if base > 0 else -1
        patches += pose.on_end(
            [
                (-low + 0.1, belt + 0.1 * (height - belt)),
                (low - 0.1, belt + 0.1 * (height - belt)),
                (high - 0.06, belt + 0.86 * (height - belt)),
                (-high + 0.06, belt + 0.86 * (height - belt)),
            ],
            np.array(span) + 0.01 * sign,
            glass,
        )
    return patches
