"""What a street scene holds besides labelled objects, as patches in metres.

The street furniture is there to mislead: bollards and signs stand like
persons, hoops curve like bicycles, shelters and skips are boxes like buses and
trucks.
"""

import cv2
import numpy as np

from da_faster.datasets.foggy_city.canvas import (
    FAR,
    Patch,
    disc,
    pick_colour,
    rectangle,
)

WALLS = (
    (206, 190, 160),
    (188, 168, 140),
    (170, 120, 98),
    (150, 92, 76),
    (214, 208, 198),
    (176, 178, 176),
    (150, 154, 158),
    (222, 200, 150),
    (168, 182, 160),
    (196, 150, 128),
    (128, 122, 118),
)
ROOFS = ((120, 62, 48), (86, 66, 60), (72, 74, 80), (100, 84, 76))
FOLIAGE = ((58, 84, 40), (72, 96, 46), (44, 70, 38), (90, 100, 50))
SIGNS = ((200, 30, 30), (30, 70, 170), (235, 235, 230), (240, 200, 40))
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


def noise_tile(rng, size=128):
    """Random texture that repeats, float32, about N(0, 1), shape (S, S)."""
    fine = rng.standard_normal((size, size), dtype=np.float32)
    wide = np.tile(fine, (3, 3))
    coarse = cv2.GaussianBlur(wide, (0, 0), 5)[
        size : 2 * size, size : 2 * size
    ]
    return 0.6 * fine + 0.8 * coarse / coarse.std()


def paint_sky(canvas, rng, lighting):
    """Fill the canvas with a sky that pales towards the horizon."""
    height, width = canvas.depth.shape
    horizon = canvas.camera.centre[1]
    high = np.array(
        ((120, 150, 190), (150, 165, 185), (176, 184, 194))[rng.integers(3)]
    )
    low = np.array((212, 218, 224))
    up = np.clip((horizon - np.arange(height)) / horizon, 0, 1)[:, None]
    rows = low + (high - low) * up
    clouds = rng.standard_normal((6, 8)).astype(np.float32)
    clouds = cv2.resize(clouds, (width, height), interpolation=cv2.INTER_CUBIC)
    sky = rows[:, None, :] + 9 * clouds[..., None]
    canvas.image[:] = np.clip(sky * np.array(lighting.tint), 0, 255)
    canvas.depth[:] = FAR


def paint_ground(canvas, rng, lighting, street, shadows):
    """Paint road, pavements, markings and shadows, with their depth.

    Args:
        canvas (Canvas): Canvas that holds the sky.
        rng (np.random.Generator): Source of randomness.
        lighting (Lighting): Light of the scene.
        street (Street): Plan of the street.
        shadows (list[np.ndarray]): Outlines of shadows on the ground, world
            points, shape (N, 3).
    """
    camera = canvas.camera
    height, width = canvas.depth.shape
    first = int(np.ceil(camera.centre[1])) + 1
    v = np.arange(first, height) + 0.5
    depth = camera.focal * camera.altitude / (v - camera.centre[1])
    canvas.depth[first:] = np.minimum(depth, FAR)[:, None]

    road = pick_colour(rng, ((92, 92, 96), (104, 102, 102), (82, 84, 90)))
    slab = pick_colour(
        rng, ((150, 144, 138), (138, 136, 136), (158, 146, 134))
    )
    canvas.image[first - 1 :] = lighting.shade(slab)

    def ground(outline, colour):
        points = np.asarray(outline, dtype=np.float64)
        points = np.insert(points, 1, 0.0, axis=1)
        fill = np.rint((camera.project(points) - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(canvas.image, [fill], colour, shift=4)

    def stripe(left, right, near, far, colour):
        ground(
            [(left, near), (right, near), (right, far), (left, far)],
            lighting.shade(colour),
        )

    near, far = 2.0, 400.0
    for across in np.arange(street.wall_left, street.wall_right, 0.9):
        stripe(across, across + 0.05, near, 40, tuple(0.85 * c for c in slab))
    for along in np.geomspace(4.0, 60, 22):
        stripe(
            street.wall_left,
            street.wall_right,
            along,
            along * 1.012,
            tuple(0.85 * c for c in slab),
        )
    stripe(street.left, street.right, near, far, road)
    cross_near, cross_far = street.crossing
    stripe(-200, 200, cross_near, cross_far, road)
    for edge in (street.left, street.right):
        for span in ((near, cross_near), (cross_far, far)):
            stripe(edge - 0.16, edge + 0.16, *span, (176, 172, 166))
            inner = edge + 0.3 * np.sign(street.middle - edge)
            stripe(
                inner - 0.1, inner + 0.1, *span, tuple(0.75 * c for c in road)
            )
    for _ in range(4):
        x = rng.uniform(street.left + 0.5, street.right - 1.5)
        z = rng.uniform(6, 40)
        tone = rng.uniform(0.8, 1.12)
        stripe(
            x,
            x + rng.uniform(0.6, 1.5),
            z,
            z + rng.uniform(0.8, 6),
            tuple(tone * c for c in road),
        )
    white = (214, 214, 208)
    for along in np.arange(3.5, 70, 6.0):
        if along + 3 < cross_near - 3 or along > cross_far + 3:
            stripe(
                street.middle - 0.07,
                street.middle + 0.07,
                along,
                along + 3,
                white,
            )
    if street.zebra:
        for across in np.arange(street.left + 0.5, street.right - 0.7, 1.1):
            stripe(
                across,
                across + 0.55,
                cross_near - 3.2,
                cross_near - 0.6,
                white,
            )

    dark = np.zeros((height, width), dtype=np.uint8)
    for outline in shadows:
        hull = cv2.convexHull(camera.project(outline).astype(np.float32))
        cv2.fillConvexPoly(
            dark, np.rint(hull * 16).astype(np.int32), 255, shift=4
        )
    soft = cv2.GaussianBlur(dark[first:], (0, 0), 2.0).astype(np.float32)
    keep = 1 - street.shadow * soft / 255
    # Grain fixed to the ground: it shrinks with distance as the street does.
    tile = noise_tile(rng)
    row = np.minimum(depth, 200).astype(np.float32)
    u = np.arange(width, dtype=np.float32) + 0.5 - camera.centre[0]
    side = u[None, :] * (row[:, None] / camera.focal)
    size = tile.shape[0]
    grain = cv2.remap(
        tile,
        np.mod(side * 9, size).astype(np.float32),
        np.mod(np.repeat(row[:, None] * 4, width, axis=1), size),
        cv2.INTER_NEAREST,
    )
    fade = np.clip(14 / row, 0.15, 1)[:, None]
    keep = keep * (1 + 0.05 * grain * fade)
    ground_image = canvas.image[first:] * keep[..., None]
    canvas.image[first:] = np.clip(ground_image, 0, 255)


def house(rng, lighting, wall, near, far, outward, front_seen):
    """One house of a row along the street.

    Args:
        rng (np.random.Generator): Source of randomness.
        lighting (Lighting): Light of the scene.
        wall (float): Position X of its street side, metres.
        near (float): Where it starts, Z in metres.
        far (float): Where it ends, Z in metres.
        outward (int): 1 on the right of the street, -1 on the left.
        front_seen (bool): Whether its side at ``near`` may be seen.

    Returns:
        list[Patch]: Its patches.
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
        # Shops: panes, a sign over them, now and then an awning.
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
    """Houses and trees where the street ends, about 130 m ahead."""
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


def tree(rng, pose):
    """Trunk and a crown of blobs, in the plane that faces the camera."""
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
    """A piece of street furniture of one of the kinds ``FURNITURE``."""
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
