"""The labelled objects of a street scene, as patches in metres.

Every builder takes a random generator, a :class:`Pose` and the size (length,
height, width) in metres, and returns patches for :meth:`Canvas.draw`.
"""

import numpy as np

from da_faster.datasets.foggy_city.canvas import (
    Patch,
    disc,
    pick_colour,
    rectangle,
)

CAR_PAINT = (
    (196, 30, 36),
    (32, 66, 150),
    (238, 238, 236),
    (176, 180, 186),
    (58, 60, 66),
    (28, 28, 32),
    (120, 126, 132),
    (24, 92, 74),
    (206, 164, 60),
    (112, 30, 44),
    (90, 130, 178),
    (150, 116, 84),
)
TRUCK_PAINT = (
    (236, 236, 232),
    (200, 50, 40),
    (44, 84, 156),
    (238, 190, 50),
    (60, 120, 70),
    (224, 120, 40),
    (120, 124, 130),
)
BUS_PAINT = (
    (240, 200, 40),
    (200, 36, 40),
    (236, 236, 232),
    (36, 110, 180),
    (70, 150, 80),
    (110, 60, 130),
    (230, 130, 40),
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

GLASS = (52, 64, 74)
RUBBER = (22, 22, 24)
STEEL = (46, 48, 52)
LAMP = (250, 246, 220)
TAIL = (210, 24, 22)
PLATE = (226, 226, 214)


def _wheels(pose, axles, half, radius):
    """Tyres as blocks, seen from the ends, and discs on the sides."""
    patches = []
    for axle in axles:
        for inner in (-half, half - 0.24):
            wheel = pose.moved(axle, inner + 0.12)
            patches += wheel.block(
                -0.8 * radius, 0.8 * radius, 0.0, radius, 0.12, RUBBER
            )
    return patches


def _discs(pose, axles, half, radius):
    """Wheels as seen on the sides: arch, tyre, rim."""
    patches = []
    for axle in axles:
        centre = (axle, radius)
        for share, colour in (
            (1.2, (14, 14, 15)),
            (1.0, RUBBER),
            (0.62, (150, 152, 156)),
            (0.2, (60, 60, 62)),
        ):
            outline = disc(centre, radius * share)
            outline[:, 1] = np.maximum(outline[:, 1], 0.0)
            patches += pose.on_sides(outline, half, colour)
    # The lower half of a wheel hangs below the body: it adds to the shape.
    return [Patch(p.points, p.colour) for p in patches]


def car(rng, pose, size):
    """Hatchback, saloon, estate or off-roader."""
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
    patches = _wheels(pose, axles, half - 0.04, radius)
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
    patches += _discs(pose, axles, half + 0.02, radius)
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
    # Cabin: the solid in the colour of the car, the panes as paint.
    low, high = half - 0.07, half - 0.24
    profile = [
        (-rear, belt - 0.02, low),
        (front, belt - 0.02, low),
        (roof_front, height, high),
        (-roof_rear, height, high),
    ]
    patches += pose.loft(profile, paint)

    def pane(back, fore):
        """Side window between two places along the cabin, 0 to 1."""
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


def truck(rng, pose, size):
    """Lorry: a cab, a gap and a box, curtain or tipper body."""
    length, height, width = size
    half, end = width / 2, length / 2
    cab_back, roof = end - 1.9, min(2.75, 0.84 * height)
    cab_paint = pick_colour(rng, TRUCK_PAINT)
    load = pick_colour(rng, TRUCK_PAINT)
    kind = rng.integers(3)
    top = height if kind < 2 else 0.66 * height
    axles = (end - 1.25, -end + 1.2, -end + 2.25)
    patches = _wheels(pose, axles, half - 0.05, 0.5)
    patches += pose.block(-end + 0.1, end - 0.3, 0.5, 0.95, half - 0.3, STEEL)

    body = pose.block(-end, cab_back - 0.35, 0.95, top, half, load)
    dark = tuple(0.68 * c for c in load)
    back, fore = -end, cab_back - 0.35
    if kind == 0:
        # A box with the name of the firm on it.
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
        # Posts of a tipper, folds of a curtain.
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
    discs = _discs(pose, axles, half + 0.02, 0.5)
    # The part farther from the camera first.
    parts = [body, cab] if pose.eye[0] > cab_back else [cab, body]
    return patches + parts[0] + parts[1] + discs


def bus(rng, pose, size):
    """City bus: one long box with a row of windows and a lit sign."""
    length, height, width = size
    half, end = width / 2, length / 2
    paint, band = pick_colour(rng, BUS_PAINT), pick_colour(rng, BUS_PAINT)
    axles = (end - 2.4, -end + 3.0)
    patches = _wheels(pose, axles, half - 0.04, 0.48)
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
    patches += _discs(pose, axles, half + 0.02, 0.48)
    patches += pose.block(
        -end + 1.2, 0.0, height, height + 0.22, half - 0.5, (190, 192, 194)
    )
    return patches


def person(rng, pose, size):
    """Walking or standing figure in the plane that faces the camera."""
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

    # Arm and leg on the far side, then the body, then the near side.
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


def bicycle(rng, pose, size):
    """Bicycle on its own, in the plane of its wheels."""
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
