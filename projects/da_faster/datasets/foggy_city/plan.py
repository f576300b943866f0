"""Samples the plan of a street: camera, light and poses of the objects.

Lengths are in metres; X points right, Z ahead, Y up from the ground.
"""

from dataclasses import dataclass

import numpy as np

from da_faster.datasets.foggy_city.geometry import Camera, Lighting, Pose

CLASSES = ('person', 'car', 'truck', 'bus', 'bicycle')

CLASS_WEIGHTS = (0.33, 0.29, 0.13, 0.13, 0.12)
"""Probability that a class is tried; large objects fit less often."""

DISTANCES = dict(
    person=(6.5, 34.0),
    car=(8.0, 50.0),
    truck=(13.0, 58.0),
    bus=(14.0, 60.0),
    bicycle=(6.5, 24.0),
)
"""Nearest and farthest centre of each class, metres."""

SIZES = dict(
    person=((0.6, 0.6), (1.5, 1.95), (0.6, 0.6)),
    car=((3.8, 4.8), (1.42, 1.75), (1.7, 1.9)),
    truck=((6.2, 8.4), (3.0, 3.7), (2.3, 2.5)),
    bus=((9.0, 12.0), (2.95, 3.2), (2.45, 2.55)),
    bicycle=((1.75, 1.75), (0.98, 1.12), (0.4, 0.4)),
)
"""Ranges of length, height and width of each class, metres."""

OBJECTS = (5, 9)
"""Fewest and most objects tried in a scene."""

MAX_COVERED = 0.55
"""Fraction of a box that the box of a nearer object may cover."""

SUPERSAMPLING = 2
"""Canvas pixels per image pixel, in each direction."""

FOCAL = 1.06
"""Focal length in image widths, about the same as in Cityscapes."""

ON_PAVEMENT = 0.7
"""Probability that a person or bicycle on the road moves to the pavement."""

PUSHED = 0.3
"""Probability that a bicycle has a person next to it."""

TOGETHER = 0.3
"""Probability that a person walks with another one."""


@dataclass(frozen=True)
class Street:
    """Plan of a street, metres.

    Args:
        left (float): Left edge of the road, X.
        right (float): Right edge of the road, X.
        middle (float): Middle of the road, X.
        wall_left (float): Front of the houses on the left, X.
        wall_right (float): Front of the houses on the right, X.
        crossing (tuple[float, float]): Start and end of the side street, Z.
        zebra (bool): Whether there is a zebra crossing.
        shadow (float): Fraction of light that a shadow takes, 0 to 1.
    """

    left: float
    right: float
    middle: float
    wall_left: float
    wall_right: float
    crossing: tuple
    zebra: bool
    shadow: float


def sample_camera(rng, width, height):
    """Samples the camera of a car; height, heading and pitch vary a little."""
    scale = SUPERSAMPLING
    centre = (
        scale * width * rng.uniform(0.42, 0.58),
        scale * height * rng.uniform(0.38, 0.47),
    )
    return Camera(
        scale * width,
        scale * height,
        scale * width * FOCAL,
        centre,
        rng.uniform(1.4, 1.9),
    )


def sample_light(rng):
    """Samples overcast or sunny light, from any direction."""
    azimuth, elevation = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.1)
    sun = (
        np.cos(elevation) * np.sin(azimuth),
        np.sin(elevation),
        np.cos(elevation) * np.cos(azimuth),
    )
    bright = rng.uniform(0.85, 1.12)
    diffuse = rng.uniform(0.15, 0.55)
    warm = rng.uniform(-0.05, 0.05)
    return Lighting(
        tuple(float(s) for s in sun),
        bright * (0.92 - 0.6 * diffuse),
        bright * diffuse,
        (1 + warm, 1.0, 1 - warm),
    )


def sample_street(rng, light):
    """Samples a street of two lanes, with pavements and a side street."""
    left = -rng.uniform(5.4, 7.0)
    right = rng.uniform(2.4, 4.4)
    near = rng.uniform(20, 40)
    return Street(
        left=left,
        right=right,
        middle=(left + right) / 2,
        wall_left=left - rng.uniform(2.6, 5.0),
        wall_right=right + rng.uniform(2.6, 5.0),
        crossing=(near, near + rng.uniform(7, 10)),
        zebra=bool(rng.random() < 0.6),
        shadow=0.2 + 0.6 * light.diffuse,
    )


def _sample_pose(rng, name, camera, street):
    """Samples X, Z and yaw of an object, without a check for collisions."""
    near, far = DISTANCES[name]
    # On a real street, few positions are near. Here near and far are equally
    # likely, or most boxes would be tiny.
    z = near * (far / near) ** rng.uniform()
    half_view = 0.5 * camera.width / camera.focal
    reach = rng.uniform(-0.95, 0.95) * half_view * z
    walls = street.wall_left + 0.8, street.wall_right - 0.8
    yaw = rng.normal(0, 0.06)
    if name in ('person', 'bicycle'):
        x = np.clip(reach, *walls)
        if name == 'bicycle':
            yaw = np.pi / 2 * rng.choice((-1, 1)) + rng.uniform(-0.7, 0.7)
        if rng.random() < ON_PAVEMENT and street.left < x < street.right:
            x = rng.choice(
                (
                    rng.uniform(walls[0], street.left - 0.3),
                    rng.uniform(street.right + 0.3, walls[1]),
                )
            )
        return x, z, yaw
    position = rng.choice(
        5,
        p=(0.16, 0.2, 0.18, 0.18, 0.28)
        if name == 'car'
        else (0.16, 0.22, 0.1, 0.1, 0.42),
    )
    if position == 0:  # ahead in the camera's lane
        return rng.uniform(-0.5, 0.8), z, yaw
    if position == 1:  # oncoming
        return street.middle - rng.uniform(1.4, 2.2), z, yaw + np.pi
    if position == 2:  # parked on the right
        return street.right - 1.0, z, yaw
    if position == 3:  # parked on the left
        return street.left + 1.0, z, yaw + np.pi * rng.integers(2)
    if rng.random() < 0.7:  # crossing, in the side street
        z = rng.uniform(street.crossing[0] + 1.4, street.crossing[1] - 1.4)
        return reach, z, yaw + np.pi / 2 * rng.choice((-1, 1))
    return (
        rng.uniform(street.left + 1, street.right - 1),
        z,
        rng.uniform(-np.pi, np.pi),
    )


def corners(pose, dims, margin=0.0):
    """Corners of the cuboid around an object, world frame, shape (8, 3)."""
    length, height, width = dims
    half = length / 2 + margin, width / 2 + margin
    return pose.world(
        [
            (ahead * half[0], y, s * half[1])
            for ahead in (-1, 1)
            for y in (0.0, height)
            for s in (-1, 1)
        ]
    )


def _covered(box, others):
    """Largest fraction of a box (x1, y1, x2, y2) that one other box covers."""
    fraction = 0.0
    for other in others:
        wide = min(box[2], other[2]) - max(box[0], other[0])
        tall = min(box[3], other[3]) - max(box[1], other[1])
        if wide > 0 and tall > 0:
            own = (box[2] - box[0]) * (box[3] - box[1])
            fraction = max(fraction, wide * tall / own)
    return fraction


def place_objects(rng, camera, street):
    """Samples objects that do not collide and are mostly visible.

    Returns:
        list[tuple[str, Pose, tuple]]: Class, pose without light, and size
        (length, height, width), metres.
    """
    wanted = int(rng.integers(OBJECTS[0], OBJECTS[1] + 1))
    placed, boxes, floors = [], [], []

    def try_place(name, x, z, yaw):
        dims = tuple(rng.uniform(*span) for span in SIZES[name])
        pose = Pose(x, z, yaw, camera.altitude, None)
        outline = corners(pose, dims, margin=0.25)
        low, high = outline.min(axis=0), outline.max(axis=0)
        at_crossing = (
            low[2] > street.crossing[0] - 0.6
            and high[2] < street.crossing[1] + 0.6
        )
        if (
            low[2] < 4.0
            or not at_crossing
            and (low[0] < street.wall_left or high[0] > street.wall_right)
        ):
            return False
        if any(
            low[0] < f[2]
            and high[0] > f[0]
            and low[2] < f[3]
            and high[2] > f[1]
            for f in floors
        ):
            return False
        uv = camera.project(corners(pose, dims))
        full = np.concatenate([uv.min(axis=0), uv.max(axis=0)])
        edge = (camera.width, camera.height) * 2
        box = np.clip(full, 0, edge)
        shown = np.prod(box[2:] - box[:2]) / np.prod(full[2:] - full[:2])
        if shown < 0.5:
            return False
        nearer = [b for b, p in zip(boxes, placed) if p[1].z < z]
        if _covered(box, nearer) > MAX_COVERED:
            return False
        if any(
            _covered(b, [box]) > MAX_COVERED
            for b, p in zip(boxes, placed)
            if p[1].z >= z
        ):
            return False
        placed.append((name, pose, dims))
        boxes.append(box)
        floors.append((low[0], low[2], high[0], high[2]))
        return True

    for _ in range(wanted):
        name = CLASSES[rng.choice(len(CLASSES), p=CLASS_WEIGHTS)]
        for _ in range(12):
            x, z, yaw = _sample_pose(rng, name, camera, street)
            if try_place(name, x, z, yaw):
                if name == 'bicycle' and rng.random() < PUSHED:
                    try_place(
                        'person', x + rng.uniform(-0.5, 0.5), z + 1.2, yaw
                    )
                elif name == 'person' and rng.random() < TOGETHER:
                    try_place(
                        'person',
                        x + rng.choice((-1.2, 1.2)),
                        z + rng.uniform(-0.2, 0.2),
                        yaw,
                    )
                break
    return placed
