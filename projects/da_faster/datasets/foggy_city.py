"""Generated domain pair "city -> foggy city", of which every pixel is known.

A street is laid out in metres, drawn with perspective and a depth buffer, and
seen by the same camera through clear air or through fog.  Classes carry the
names of Cityscapes, boxes enclose the visible pixels as those made from its
instance masks do.  Everything follows from (seed, split, index) alone.

The constants below set how hard the pair is.
"""
from dataclasses import dataclass, replace

import cv2
import numpy as np

from da_faster.datasets import street_objects, street_scenery
from da_faster.datasets.fog import (DEFAULT_BETA, add_fog, decode, expose,
                                    ray_distance)
from da_faster.datasets.street_canvas import Camera, Canvas, Lighting, Pose

CLASSES = ('person', 'car', 'truck', 'bus', 'bicycle')
SPLITS = ('source', 'target', 'test')

CLASS_WEIGHTS = (0.33, 0.29, 0.13, 0.13, 0.12)
"""How often a class is tried; crowded streets refuse the large ones more."""

DISTANCES = dict(
    person=(6.5, 34.0),
    car=(8.0, 50.0),
    truck=(13.0, 58.0),
    bus=(14.0, 60.0),
    bicycle=(6.5, 24.0))
"""Nearest and farthest centre of each class, metres."""

SIZES = dict(
    person=((0.6, 0.6), (1.5, 1.95), (0.6, 0.6)),
    car=((3.8, 4.8), (1.42, 1.75), (1.7, 1.9)),
    truck=((6.2, 8.4), (3.0, 3.7), (2.3, 2.5)),
    bus=((9.0, 12.0), (2.95, 3.2), (2.45, 2.55)),
    bicycle=((1.75, 1.75), (0.98, 1.12), (0.4, 0.4)))
"""Ranges of length, height and width of each class, metres."""

OBJECTS = (5, 9)
"""Fewest and most objects tried per scene."""

FURNITURE = (7, 13)
"""Fewest and most pieces of street furniture tried per scene."""

MAX_COVERED = 0.55
"""Share of a box that the box of one nearer object may cover."""

MIN_VISIBLE_PIXELS = 30
"""Objects with fewer visible pixels get no box."""

MIN_VISIBLE_SHARE = 0.2
"""Objects of which a smaller share is visible get no box."""

MIN_SIDE = 6.0
"""Objects whose visible box is thinner get no box, pixels."""

MIN_SIZE = (96, 48)
"""Width and height below which no object is large enough, pixels."""

SUPERSAMPLING = 2
"""Canvas pixels per image pixel, each way."""

FOCAL = 1.06
"""Focal length in image widths, about that of Cityscapes."""

ON_PAVEMENT = 0.7
"""Share of persons and bicycles that keep off the road."""

PUSHED = 0.3
"""Share of bicycles that have a person next to them."""

TOGETHER = 0.3
"""Share of persons that walk with another one."""


@dataclass(frozen=True)
class Street:
    """Plan of a street: edges and walls in X, crossing in Z, metres."""
    left: float
    right: float
    middle: float
    wall_left: float
    wall_right: float
    crossing: tuple
    zebra: bool
    shadow: float


@dataclass(frozen=True)
class Instance:
    """A visible object.

    Args:
        label (int): Index into ``CLASSES``.
        box (tuple[float, float, float, float]): Left, top, right and bottom
            edge of the visible part, image pixels.
        area (float): Visible area, image pixels.
        owner (int): Its number in ``Scene.owner``.
        distance (float): Depth of its centre, metres.
    """
    label: int
    box: tuple
    area: float
    owner: int
    distance: float


@dataclass(frozen=True)
class Scene:
    """A scene before fog and camera.

    Arrays are ``SUPERSAMPLING`` times as large as the image each way.

    Args:
        canvas (np.ndarray): RGB, uint8, shape (S * H, S * W, 3).
        depth (np.ndarray): Depth, metres, float32, shape (S * H, S * W).
        owner (np.ndarray): Number of the object seen, int16, shape
            (S * H, S * W).
        camera (Camera): Camera, in pixels of ``canvas``.
        instances (tuple[Instance]): Visible objects.
        airlight (np.ndarray): Atmospheric light, linear RGB, shape (3,).
        noise (np.ndarray): Standard normal noise, shape (H, W, 3).
    """
    canvas: np.ndarray
    depth: np.ndarray
    owner: np.ndarray
    camera: Camera
    instances: tuple
    airlight: np.ndarray
    noise: np.ndarray

    def photograph(self, beta=DEFAULT_BETA):
        """Image that the camera takes through fog.

        Args:
            beta (float): Attenuation coefficient, 1/m; 0 is clear air.

        Returns:
            np.ndarray: RGB, uint8, shape (H, W, 3).
        """
        distance = ray_distance(self.depth, self.camera.focal,
                                self.camera.centre)
        foggy = add_fog(decode(self.canvas), distance, beta, self.airlight)
        height, width = self.noise.shape[:2]
        foggy = cv2.resize(
            foggy, (width, height), interpolation=cv2.INTER_AREA)
        return expose(foggy, self.noise)


def make_scene(seed, split, index, size=(384, 192)):
    """Lay out and draw one scene.

    Args:
        seed (int): Seed of the whole dataset, not negative.
        split (str): One of ``SPLITS``; no two splits share a scene.
        index (int): Number of the scene in its split, not negative.
        size (tuple[int, int]): Width and height of the image, pixels.

    Returns:
        Scene: The scene.
    """
    if split not in SPLITS:
        raise ValueError(f'split must be one of {SPLITS}, got {split!r}')
    if seed < 0 or index < 0:
        raise ValueError('seed and index must not be negative, '
                         f'got {seed} and {index}')
    width, height = size
    if width < MIN_SIZE[0] or height < MIN_SIZE[1]:
        raise ValueError(f'size must be at least {MIN_SIZE}, got {size}')
    rng = np.random.default_rng([seed, SPLITS.index(split), index])

    camera = _sample_camera(rng, width, height)
    light = _sample_light(rng)
    street = _sample_street(rng, light)
    placed = _place_objects(rng, camera, street)

    canvas = Canvas(camera)
    street_scenery.paint_sky(canvas, rng, light)
    shadows = [_shadow(pose, dims, light) for _, pose, dims in placed]
    street_scenery.paint_ground(canvas, rng, light, street,
                                shadows + _wall_shadow(street, light))
    canvas.draw(street_scenery.skyline(rng, light))
    _draw_houses(canvas, rng, light, street)
    _draw_furniture(canvas, rng, light, street, placed)
    whole = []
    for owner, (name, pose, dims) in enumerate(placed, start=1):
        pose = pose.lit(_light_at(pose, street, light))
        patches = getattr(street_objects, name)(rng, pose, dims)
        whole.append(canvas.draw(patches, owner))

    airlight = rng.uniform(0.58, 0.76) * rng.uniform(0.97, 1.03, 3)
    noise = rng.standard_normal((height, width, 3), dtype=np.float32)
    return Scene(canvas.image, canvas.depth, canvas.owner, camera,
                 _find_instances(canvas, placed, whole), airlight, noise)


def _sample_camera(rng, width, height):
    """Camera of a car: height, heading and pitch vary a little."""
    scale = SUPERSAMPLING
    centre = (scale * width * rng.uniform(0.42, 0.58),
              scale * height * rng.uniform(0.38, 0.47))
    return Camera(scale * width, scale * height, scale * width * FOCAL, centre,
                  rng.uniform(1.4, 1.9))


def _sample_light(rng):
    """Overcast or sunny, from either side or behind."""
    azimuth, elevation = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.1)
    sun = (np.cos(elevation) * np.sin(azimuth), np.sin(elevation),
           np.cos(elevation) * np.cos(azimuth))
    bright = rng.uniform(0.85, 1.12)
    diffuse = rng.uniform(0.15, 0.55)
    warm = rng.uniform(-0.05, 0.05)
    return Lighting(
        tuple(float(s) for s in sun), bright * (0.92 - 0.6 * diffuse),
        bright * diffuse, (1 + warm, 1.0, 1 - warm))


def _sample_street(rng, light):
    """Two lanes, room to park, pavements, walls and a crossing street."""
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
        shadow=0.2 + 0.6 * light.diffuse)


def _sample_pose(rng, name, camera, street):
    """A place where an object of a class would be, not yet checked."""
    near, far = DISTANCES[name]
    # Near places are rarer on a street than far ones, yet here they are as
    # common, or most boxes would be tiny.
    z = near * (far / near)**rng.uniform()
    half_view = 0.5 * camera.width / camera.focal
    reach = rng.uniform(-0.95, 0.95) * half_view * z
    walls = street.wall_left + 0.8, street.wall_right - 0.8
    yaw = rng.normal(0, 0.06)
    if name in ('person', 'bicycle'):
        x = np.clip(reach, *walls)
        if name == 'bicycle':
            yaw = np.pi / 2 * rng.choice((-1, 1)) + rng.uniform(-0.7, 0.7)
        if rng.random() < ON_PAVEMENT and street.left < x < street.right:
            x = rng.choice((rng.uniform(walls[0], street.left - 0.3),
                            rng.uniform(street.right + 0.3, walls[1])))
        return x, z, yaw
    kind = rng.choice(
        5,
        p=(0.16, 0.2, 0.18, 0.18, 0.28)
        if name == 'car' else (0.16, 0.22, 0.1, 0.1, 0.42))
    if kind == 0:
        return rng.uniform(-0.5, 0.8), z, yaw
    if kind == 1:
        return street.middle - rng.uniform(1.4, 2.2), z, yaw + np.pi
    if kind == 2:
        return street.right - 1.0, z, yaw
    if kind == 3:
        return street.left + 1.0, z, yaw + np.pi * rng.integers(2)
    if rng.random() < 0.7:
        # Crosses at the side street.
        z = rng.uniform(street.crossing[0] + 1.4, street.crossing[1] - 1.4)
        return reach, z, yaw + np.pi / 2 * rng.choice((-1, 1))
    return (rng.uniform(street.left + 1, street.right - 1), z,
            rng.uniform(-np.pi, np.pi))


def _corners(pose, dims, margin=0.0):
    """Corners of the box around an object, world frame, shape (8, 3)."""
    length, height, width = dims
    half = length / 2 + margin, width / 2 + margin
    return pose.world([(l * half[0], y, s * half[1]) for l in (-1, 1)
                       for y in (0.0, height) for s in (-1, 1)])


def _covered(box, others):
    """Largest share of a box (x1, y1, x2, y2) that one other covers."""
    share = 0.0
    for other in others:
        wide = min(box[2], other[2]) - max(box[0], other[0])
        tall = min(box[3], other[3]) - max(box[1], other[1])
        if wide > 0 and tall > 0:
            own = (box[2] - box[0]) * (box[3] - box[1])
            share = max(share, wide * tall / own)
    return share


def _place_objects(rng, camera, street):
    """Sample objects that do not collide and mostly show.

    Returns:
        list[tuple[str, Pose, tuple]]: Class, pose (unlit) and size.
    """
    wanted = int(rng.integers(OBJECTS[0], OBJECTS[1] + 1))
    placed, boxes, floors = [], [], []

    def try_place(name, x, z, yaw):
        dims = tuple(rng.uniform(*span) for span in SIZES[name])
        pose = Pose(x, z, yaw, camera.altitude, None)
        corners = _corners(pose, dims, margin=0.25)
        low, high = corners.min(axis=0), corners.max(axis=0)
        at_crossing = (low[2] > street.crossing[0] - 0.6
                       and high[2] < street.crossing[1] + 0.6)
        if low[2] < 4.0 or not at_crossing and (low[0] < street.wall_left
                                                or high[0] >
                                                street.wall_right):
            return False
        if any(low[0] < f[2] and high[0] > f[0] and low[2] < f[3]
               and high[2] > f[1] for f in floors):
            return False
        uv = camera.project(_corners(pose, dims))
        full = np.concatenate([uv.min(axis=0), uv.max(axis=0)])
        edge = (camera.width, camera.height) * 2
        box = np.clip(full, 0, edge)
        shown = np.prod(box[2:] - box[:2]) / np.prod(full[2:] - full[:2])
        if shown < 0.5:
            return False
        nearer = [b for b, p in zip(boxes, placed) if p[1].z < z]
        if _covered(box, nearer) > MAX_COVERED:
            return False
        if any(_covered(b, [box]) > MAX_COVERED
               for b, p in zip(boxes, placed) if p[1].z >= z):
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
                    try_place('person', x + rng.uniform(-0.5, 0.5), z + 1.2,
                              yaw)
                elif name == 'person' and rng.random() < TOGETHER:
                    try_place('person', x + rng.choice((-1.2, 1.2)),
                              z + rng.uniform(-0.2, 0.2), yaw)
                break
    return placed


def _shadow(pose, dims, light):
    """Outline of the shadow of an object on the ground, shape (16, 3)."""
    corners = _corners(pose, dims, margin=0.06)
    cast = corners.copy()
    strength = min(1.0, light.diffuse / 0.4)
    reach = strength * corners[:, 1] / light.sun[1]
    cast[:, 0] -= reach * light.sun[0]
    cast[:, 2] -= reach * light.sun[2]
    outline = np.concatenate([corners, cast])
    outline[:, 1] = 0.0
    outline[:, 2] = np.maximum(outline[:, 2], 2.0)
    return outline


def _shade_edge(street, light):
    """X up to which a row of houses, 9 m high, keeps the sun off."""
    reach = 9.0 * light.sun[0] / light.sun[1]
    return (street.wall_right if reach > 0 else street.wall_left) - reach


def _wall_shadow(street, light):
    """Shadow that the houses on the sunny side cast over the street."""
    wall = street.wall_right if light.sun[0] > 0 else street.wall_left
    edge = float(
        np.clip(_shade_edge(street, light), street.wall_left,
                street.wall_right))
    return [
        np.array([(wall, 0.0, z0), (edge, 0.0, z0), (edge, 0.0, z1),
                  (wall, 0.0, z1)])
        for z0, z1 in ((2.0, street.crossing[0]), (street.crossing[1], 150.0))
    ]


def _light_at(pose, street, light):
    """Light at an object: less of the sun in the shadow of the houses."""
    near, far = street.crossing
    past = (pose.x - _shade_edge(street, light)) * np.sign(light.sun[0])
    if past > 0 and not near < pose.z < far:
        return replace(light, diffuse=0.3 * light.diffuse)
    return light


def _draw_houses(canvas, rng, light, street):
    """Rows of houses on both sides, open at the crossing."""
    for outward, wall in ((-1, street.wall_left), (1, street.wall_right)):
        for start, stop in ((2.0, street.crossing[0] - 0.5),
                            (street.crossing[1] + 0.5, 110.0)):
            near = start
            while near < stop:
                far = min(near + rng.uniform(8, 18), stop)
                if stop - far < 4:
                    far = stop
                back = rng.uniform(0, 1.2)
                canvas.draw(
                    street_scenery.house(rng, light, wall + back * outward,
                                         near, far, outward, near > 2.0))
                near = far


def _draw_furniture(canvas, rng, light, street, placed):
    """Street furniture along the kerbs, clear of the labelled objects."""
    for _ in range(int(rng.integers(FURNITURE[0], FURNITURE[1] + 1))):
        kind = street_scenery.FURNITURE[rng.integers(
            len(street_scenery.FURNITURE))]
        z = 7.0 * (55 / 7.0)**rng.uniform()
        if rng.random() < 0.5:
            x = rng.uniform(street.wall_left + 0.5, street.left - 0.5)
        else:
            x = rng.uniform(street.right + 0.5, street.wall_right - 0.5)
        clear = 2.5 if kind in ('shelter', 'skip') else 1.0
        if any(
                abs(x - pose.x) < clear + dims[2] and
                abs(z - pose.z) < clear + dims[0] for _, pose, dims in placed):
            continue
        pose = Pose(x, z, rng.normal(0, 0.05), canvas.camera.altitude, None)
        pose = pose.lit(_light_at(pose, street, light))
        canvas.draw(street_scenery.furniture(rng, pose, kind))


def _find_instances(canvas, placed, whole):
    """Boxes around the visible pixels of the objects that show enough."""
    instances = []
    for owner, (name, pose, _) in enumerate(placed, start=1):
        mask = canvas.owner == owner
        visible = int(np.count_nonzero(mask))
        area = visible / SUPERSAMPLING**2
        if (area < MIN_VISIBLE_PIXELS
                or visible < MIN_VISIBLE_SHARE * whole[owner - 1]):
            continue
        columns = np.flatnonzero(mask.any(axis=0))
        rows = np.flatnonzero(mask.any(axis=1))
        box = tuple(
            float(edge) / SUPERSAMPLING
            for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
        if min(box[2] - box[0], box[3] - box[1]) < MIN_SIDE:
            continue
        instances.append(
            Instance(CLASSES.index(name), box, area, owner, float(pose.z)))
    return tuple(instances)
