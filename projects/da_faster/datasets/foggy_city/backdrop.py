"""Sky and ground of a scene, painted over the whole canvas."""

import cv2
import numpy as np

from da_faster.datasets.foggy_city.canvas import FAR
from da_faster.datasets.foggy_city.geometry import pick_colour


def noise_tile(rng, size=128):
    """Random texture that can be tiled, about N(0, 1), float32, (S, S)."""
    fine = rng.standard_normal((size, size), dtype=np.float32)
    wide = np.tile(fine, (3, 3))
    coarse = cv2.GaussianBlur(wide, (0, 0), 5)[
        size : 2 * size, size : 2 * size
    ]
    return 0.6 * fine + 0.8 * coarse / coarse.std()


def paint_sky(canvas, rng, lighting):
    """Fills the canvas with a sky that is paler towards the horizon."""
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
    """Paints road, pavements, markings and shadows, with their depth.

    Args:
        canvas (Canvas): The canvas, with the sky on it.
        rng (np.random.Generator): Random generator.
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
    # The grain is fixed to the ground: it becomes smaller with distance.
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
