"""Draws the scenes of the generated domain pair "city -> foggy city".

A street is laid out in metres and drawn with perspective and a depth buffer.
The same camera sees it through clear air or through fog.  Classes have the
names of Cityscapes.  Boxes enclose the visible pixels, as boxes made from the
instance masks of Cityscapes do.  (seed, split, index) determine a scene.

The constants below and in plan.py set how hard the pair is.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from da_faster.datasets.foggy_city.backdrop import paint_ground, paint_sky
from da_faster.datasets.foggy_city.canvas import Canvas
from da_faster.datasets.foggy_city.fog import (
    DEFAULT_BETA,
    add_fog,
    decode,
    expose,
    ray_distance,
)
from da_faster.datasets.foggy_city.furniture import FURNITURE, furniture
from da_faster.datasets.foggy_city.geometry import Camera, Pose
from da_faster.datasets.foggy_city.houses import house, skyline
from da_faster.datasets.foggy_city.objects import BUILDERS
from da_faster.datasets.foggy_city.plan import (
    CLASSES,
    SUPERSAMPLING,
    corners,
    place_objects,
    sample_camera,
    sample_light,
    sample_street,
)

SPLITS = ('source', 'target', 'test')

PIECES = (7, 13)
"""Fewest and most pieces of street furniture tried in a scene."""

MIN_VISIBLE_PIXELS = 30
"""Objects with fewer visible pixels get no box."""

MIN_VISIBLE = 0.2
"""Objects with a smaller visible fraction get no box."""

MIN_SIDE = 6.0
"""Objects whose visible part is narrower or lower get no box, pixels."""

MIN_SIZE = (96, 48)
"""Least width and height of an image, pixels; objects would be too small."""


@dataclass(frozen=True)
class Instance:
    """A visible object.

    Args:
        label (int): Index into ``CLASSES``.
        box (tuple[float, float, float, float]): Left, top, right and bottom
            edge of the visible part, image pixels.
        area (float): Visible area, image pixels.
        owner (int): Number of the object in ``Scene.owner``.
        distance (float): Depth of the object's centre, metres.
    """

    label: int
    box: tuple
    area: float
    owner: int
    distance: float


@dataclass(frozen=True)
class Scene:
    """A scene before fog and camera.

    S is ``SUPERSAMPLING``; H and W are height and width of the image.

    Args:
        canvas (np.ndarray): RGB, uint8, shape (S * H, S * W, 3).
        depth (np.ndarray): Depth, metres, float32, shape (S * H, S * W).
        owner (np.ndarray): Number of the object that a pixel shows, 0 for
            none, int16, shape (S * H, S * W).
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
        """Takes an image of the scene through fog.

        Args:
            beta (float): Attenuation coefficient, 1/m; 0 is clear air.

        Returns:
            np.ndarray: RGB, uint8, shape (H, W, 3).
        """
        distance = ray_distance(
            self.depth, self.camera.focal, self.camera.centre
        )
        foggy = add_fog(decode(self.canvas), distance, beta, self.airlight)
        height, width = self.noise.shape[:2]
        foggy = cv2.resize(
            foggy, (width, height), interpolation=cv2.INTER_AREA
        )
        return expose(foggy, self.noise)


def make_scene(seed, split, index, size=(384, 192)):
    """Lays out and draws a scene.

    Args:
        seed (int): Seed of the whole dataset, not negative.
        split (str): One of ``SPLITS``; no two splits share a scene.
        index (int): Number of the scene in its split, not negative.
        size (tuple[int, int]): Width and height of the image, pixels.

    Returns:
        Scene: The scene.

    Raises:
        ValueError: If an argument is out of range.
    """
    if split not in SPLITS:
        raise ValueError(f'split must be one of {SPLITS}, got {split!r}')
    if seed < 0 or index < 0:
        raise ValueError(
            f'seed and index must not be negative, got {seed} and {index}'
        )
    width, height = size
    if width < MIN_SIZE[0] or height < MIN_SIZE[1]:
        raise ValueError(f'size must be at least {MIN_SIZE}, got {size}')
    rng = np.random.default_rng([seed, SPLITS.index(split), index])

    camera = sample_camera(rng, width, height)
    light = sample_light(rng)
    street = sample_street(rng, light)
    placed = place_objects(rng, camera, street)

    canvas = Canvas(camera)
    paint_sky(canvas, rng, light)
    shadows = [_shadow(pose, dims, light) for _, pose, dims in placed]
    paint_ground(
        canvas, rng, light, street, shadows + _wall_shadow(street, light)
    )
    canvas.draw(skyline(rng, light))
    _draw_houses(canvas, rng, light, street)
    _draw_furniture(canvas, rng, light, street, placed)
    whole = []
    for owner, (name, pose, dims) in enumerate(placed, start=1):
        pose = pose.lit(_light_at(pose, street, light))
        patches = BUILDERS[name](rng, pose, dims)
        whole.append(canvas.draw(patches, owner))

    airlight = rng.uniform(0.58, 0.76) * rng.uniform(0.97, 1.03, 3)
    noise = rng.standard_normal((height, width, 3), dtype=np.float32)
    return Scene(
        canvas.image,
        canvas.depth,
        canvas.owner,
        camera,
        _find_instances(canvas, placed, whole),
        airlight,
        noise,
    )


def _shadow(pose, dims, light):
    """Points around an object's shadow on the ground, shape (16, 3)."""
    body = corners(pose, dims, margin=0.06)
    cast = body.copy()
    strength = min(1.0, light.diffuse / 0.4)
    reach = strength * body[:, 1] / light.sun[1]
    cast[:, 0] -= reach * light.sun[0]
    cast[:, 2] -= reach * light.sun[2]
    outline = np.concatenate([body, cast])
    outline[:, 1] = 0.0
    outline[:, 2] = np.maximum(outline[:, 2], 2.0)
    return outline


def _shade_edge(street, light):
    """Edge of the shadow of a row of houses, 9 m high, X."""
    reach = 9.0 * light.sun[0] / light.sun[1]
    return (street.wall_right if reach > 0 else street.wall_left) - reach


def _wall_shadow(street, light):
    """Outlines of the shadows that the houses cast on the street."""
    wall = street.wall_right if light.sun[0] > 0 else street.wall_left
    edge = float(
        np.clip(
            _shade_edge(street, light), street.wall_left, street.wall_right
        )
    )
    return [
        np.array(
            [
                (wall, 0.0, z0),
                (edge, 0.0, z0),
                (edge, 0.0, z1),
                (wall, 0.0, z1),
            ]
        )
        for z0, z1 in ((2.0, street.crossing[0]), (street.crossing[1], 150.0))
    ]


def _light_at(pose, street, light):
    """Light at an object, with less sun in the shadow of the houses."""
    near, far = street.crossing
    past = (pose.x - _shade_edge(street, light)) * np.sign(light.sun[0])
    if past > 0 and not near < pose.z < far:
        return replace(light, diffuse=0.3 * light.diffuse)
    return light


def _draw_houses(canvas, rng, light, street):
    """Draws rows of houses on both sides, open at the crossing."""
    for outward, wall in ((-1, street.wall_left), (1, street.wall_right)):
        for start, stop in (
            (2.0, street.crossing[0] - 0.5),
            (street.crossing[1] + 0.5, 110.0),
        ):
            near = start
            while near < stop:
                far = min(near + rng.uniform(8, 18), stop)
                if stop - far < 4:
                    far = stop
                back = rng.uniform(0, 1.2)
                canvas.draw(
                    house(
                        rng,
                        light,
                        wall + back * outward,
                        near,
                        far,
                        outward,
                        near > 2.0,
                    )
                )
                near = far


def _draw_furniture(canvas, rng, light, street, placed):
    """Draws street furniture on the pavements, away from labelled objects."""
    for _ in range(int(rng.integers(PIECES[0], PIECES[1] + 1))):
        kind = FURNITURE[rng.integers(len(FURNITURE))]
        z = 7.0 * (55 / 7.0) ** rng.uniform()
        if rng.random() < 0.5:
            x = rng.uniform(street.wall_left + 0.5, street.left - 0.5)
        else:
            x = rng.uniform(street.right + 0.5, street.wall_right - 0.5)
        clear = 2.5 if kind in ('shelter', 'skip') else 1.0
        if any(
            abs(x - pose.x) < clear + dims[2]
            and abs(z - pose.z) < clear + dims[0]
            for _, pose, dims in placed
        ):
            continue
        pose = Pose(x, z, rng.normal(0, 0.05), canvas.camera.altitude, None)
        pose = pose.lit(_light_at(pose, street, light))
        canvas.draw(furniture(rng, pose, kind))


def _find_instances(canvas, placed, whole):
    """Finds the boxes of all objects that are visible enough.

    Args:
        canvas (Canvas): The drawn scene.
        placed (list): Class, pose and size of each object.
        whole (list[int]): Pixels of each object, hidden ones included.
    """
    instances = []
    for owner, (name, pose, _) in enumerate(placed, start=1):
        mask = canvas.owner == owner
        visible = int(np.count_nonzero(mask))
        area = visible / SUPERSAMPLING**2
        if (
            area < MIN_VISIBLE_PIXELS
            or visible < MIN_VISIBLE * whole[owner - 1]
        ):
            continue
        columns = np.flatnonzero(mask.any(axis=0))
        rows = np.flatnonzero(mask.any(axis=1))
        box = tuple(
            float(edge) / SUPERSAMPLING
            for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        )
        if min(box[2] - box[0], box[3] - box[1]) < MIN_SIDE:
            continue
        instances.append(
            Instance(CLASSES.index(name), box, area, owner, float(pose.z))
        )
    return tuple(instances)
