"""Camera, light and depth-buffered canvas that street scenes are drawn with.

World frame, metres: X to the right, Y up from the ground, Z forward; the
camera stands at (0, height, 0) and looks along Z.  Frame of an object,
metres: ``l`` forward, ``y`` up, ``s`` to its right; at yaw 0 it heads away
from the camera.
"""

from dataclasses import dataclass

import cv2
import numpy as np

NEAR = 1.0
"""Nothing closer than this many metres is drawn."""

FAR = 1000.0
"""Depth of the sky, metres."""

SHIFT = 4
"""Fractional bits of the coordinates handed to OpenCV."""


@dataclass(frozen=True)
class Camera:
    """Pinhole camera without pitch; a lifted horizon stands in for pitch.

    Args:
        width (int): Width of the canvas, pixels.
        height (int): Height of the canvas, pixels.
        focal (float): Focal length, pixels.
        centre (tuple[float, float]): Vanishing point of the street (u, v),
            pixels; v is the horizon.
        altitude (float): Height of the camera over the ground, metres.
    """

    width: int
    height: int
    focal: float
    centre: tuple
    altitude: float

    def project(self, points):
        """Project world points.

        Args:
            points (np.ndarray): (X, Y, Z), metres, shape (N, 3).

        Returns:
            np.ndarray: Pixel positions (u, v), shape (N, 2).
        """
        depth = points[:, 2]
        nearest = depth.min()
        if nearest < NEAR:
            raise ValueError(
                f'a point lies {nearest:.2f} m ahead of the '
                f'camera, nearer than {NEAR} m'
            )
        u = self.centre[0] + self.focal * points[:, 0] / depth
        v = (
            self.centre[1]
            + self.focal * (self.altitude - points[:, 1]) / depth
        )
        return np.stack([u, v], axis=1)


@dataclass(frozen=True)
class Lighting:
    """Sky light and sun of a scene.

    Args:
        sun (tuple[float, float, float]): Unit vector to the sun, world frame.
        ambient (float): Share of the light that comes from all sides.
        diffuse (float): Share of the light that comes from the sun.
        tint (tuple[float, float, float]): Colour of the light, RGB.
    """

    sun: tuple
    ambient: float
    diffuse: float
    tint: tuple

    def shade(self, colour, normal=(0.0, 1.0, 0.0)):
        """Colour of a matt surface: RGB in, RGB of ints in [0, 255] out."""
        facing = sum(n * s for n, s in zip(normal, self.sun))
        factor = self.ambient + self.diffuse * max(0.0, facing)
        return tuple(
            int(min(255, max(0, c * factor * t)))
            for c, t in zip(colour, self.tint)
        )


@dataclass(frozen=True)
class Patch:
    """A flat polygon, or a line if it has a width.

    Args:
        points (np.ndarray): World points, metres, shape (N, 3).
        colour (tuple[int, int, int]): RGB.
        solid (bool): Whether it makes up the shape of its object.  What is
            not solid is paint and shows on solid parts only.
        width (float): Width of a line, metres; 0 fills the polygon.
    """

    points: np.ndarray
    colour: tuple
    solid: bool = True
    width: float = 0.0


class Pose:
    """Place of an object on the ground, with the sides the camera sees.

    Args:
        x (float): Position to the right, metres.
        z (float): Position ahead, metres.
        yaw (float): Heading, radians; 0 heads away from the camera and
            pi / 2 to the right.
        altitude (float): Height of the camera, metres.
        light (Lighting | None): Light that falls on the object; a pose
            without light can be placed but not drawn.
    """

    def __init__(self, x, z, yaw, altitude, light):
        self.x, self.z, self.yaw, self.light = x, z, yaw, light
        self.altitude = altitude
        self.sin, self.cos = float(np.sin(yaw)), float(np.cos(yaw))
        self.eye = (
            -x * self.sin - z * self.cos,
            altitude,
            -x * self.cos + z * self.sin,
        )

    def moved(self, length, side):
        """The pose ``length`` metres ahead and ``side`` to the right."""
        x, _, z = self.world([(length, 0.0, side)])[0]
        return Pose(x, z, self.yaw, self.altitude, self.light)

    def lit(self, light):
        """The same pose in another light."""
        return Pose(self.x, self.z, self.yaw, self.altitude, light)

    def world(self, points):
        """Map points (l, y, s) of shape (N, 3) to the world frame."""
        points = np.asarray(points, dtype=np.float64)
        length, up, side = points[:, 0], points[:, 1], points[:, 2]
        return np.stack(
            [
                self.x + length * self.sin + side * self.cos,
                up,
                self.z + length * self.cos - side * self.sin,
            ],
            axis=1,
        )

    def shade(self, colour, normal):
        """Shade a colour by a normal of the frame of the object."""
        length, up, side = normal
        turned = (
            length * self.sin + side * self.cos,
            up,
            length * self.cos - side * self.sin,
        )
        return self.light.shade(colour, turned)

    def loft(self, profile, colour):
        """Skin a convex solid that is symmetric about the plane s = 0.

        Args:
            profile (Sequence): Corners (l, y, half width) of the outline
                seen from the side, in order, metres, shape (N, 3).
            colour (tuple): RGB of the solid.

        Returns:
            list[Patch]: Its faces that the camera sees.
        """
        profile = np.asarray(profile, dtype=np.float64)
        middle = profile[:, :2].mean(axis=0)
        patches = []
        for sign in (-1, 1):
            if sign * self.eye[2] > profile[:, 2].max():
                side = profile * (1, 1, sign)
                patches.append(
                    Patch(self.world(side), self.shade(colour, (0, 0, sign)))
                )
        for start, end in zip(profile, np.roll(profile, -1, axis=0)):
            normal = np.array([end[1] - start[1], start[0] - end[0]])
            normal /= np.linalg.norm(normal)
            if normal @ (start[:2] - middle) < 0:
                normal = -normal
            if normal @ (np.array(self.eye[:2]) - start[:2]) <= 0:
                continue
            face = [start, end, end * (1, 1, -1), start * (1, 1, -1)]
            patches.append(
                Patch(
                    self.world(face),
                    self.shade(colour, (normal[0], normal[1], 0)),
                )
            )
        return patches

    def block(self, back, front, low, high, half, colour):
        """Skin a box from ``back`` to ``front``, ``low`` to ``high``."""
        return self.loft(
            [
                (back, low, half),
                (front, low, half),
                (front, high, half),
                (back, high, half),
            ],
            colour,
        )

    def on_sides(self, outline, half, colour, sides=(-1, 1)):
        """Paint a polygon (l, y) on the sides at ``half`` that are seen.

        ``half`` is a number or one number per corner.
        """
        outline = np.asarray(outline, dtype=np.float64)
        half = np.broadcast_to(half, len(outline))
        patches = []
        for sign in sides:
            if sign * self.eye[2] > half.max():
                points = np.column_stack([outline, sign * half])
                patches.append(
                    Patch(
                        self.world(points),
                        self.shade(colour, (0, 0, sign)),
                        solid=False,
                    )
                )
        return patches

    def on_end(self, outline, length, colour):
        """Paint a polygon (s, y) on the end at ``length`` if it is seen.

        ``length`` is a number or one number per corner; its sign tells the
        front from the back.
        """
        outline = np.asarray(outline, dtype=np.float64)
        length = np.broadcast_to(length, len(outline))
        sign = 1.0 if length.mean() > 0 else -1.0
        if sign * (self.eye[0] - length.mean()) <= 0:
            return []
        points = np.column_stack([length, outline[:, 1], outline[:, 0]])
        return [
            Patch(
                self.world(points),
                self.shade(colour, (sign, 0, 0)),
                solid=False,
            )
        ]


def pick_colour(rng, palette):
    """A colour of a palette, RGB, lighter or darker and slightly off."""
    colour = palette[rng.integers(len(palette))]
    bright = rng.uniform(0.86, 1.1)
    return tuple(bright * c * rng.uniform(0.97, 1.03) for c in colour)


def rectangle(left, right, low, high):
    """Corners of an upright rectangle, shape (4, 2)."""
    return np.array([(left, low), (right, low), (right, high), (left, high)])


def disc(centre, radius, corners=14):
    """Corners of an ellipse; ``radius`` is a number or a pair."""
    angle = np.arange(corners) * (2 * np.pi / corners)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius + centre


class Canvas:
    """Picture with a depth and an owner for every pixel.

    Attributes:
        image (np.ndarray): RGB, uint8, shape (H, W, 3).
        depth (np.ndarray): Depth along Z, metres, float32, shape (H, W).
        owner (np.ndarray): Number of the object seen, 0 for none, int16,
            shape (H, W).
    """

    def __init__(self, camera):
        self.camera = camera
        shape = (camera.height, camera.width)
        self.image = np.zeros((*shape, 3), dtype=np.uint8)
        self.depth = np.full(shape, FAR, dtype=np.float32)
        self.owner = np.zeros(shape, dtype=np.int16)

    def draw(self, patches, owner=0):
        """Draw an object; what is nearer stays in front, pixel by pixel.

        Args:
            patches (list[Patch]): Its patches, later ones over earlier ones.
            owner (int): Its number.

        Returns:
            int: Pixels of the object, hidden ones included.
        """
        uv = self.camera.project(np.concatenate([p.points for p in patches]))
        margin = 2 + max(self._thickness(patch) for patch in patches) // 2
        left, top = np.floor(uv.min(axis=0)).astype(int) - margin
        right, bottom = np.ceil(uv.max(axis=0)).astype(int) + margin
        left, top = max(left, 0), max(top, 0)
        right = min(right, self.camera.width)
        bottom = min(bottom, self.camera.height)
        if left >= right or top >= bottom:
            return 0
        part = (slice(top, bottom), slice(left, right))
        image = self.image[part].copy()
        depth = np.full(image.shape[:2], np.inf, dtype=np.float32)
        # Pixel centres lie at +0.5 here and at whole numbers in OpenCV.
        uv -= (left + 0.5, top + 0.5)
        start = 0
        for patch in patches:
            stop = start + len(patch.points)
            self._fill(image, depth, patch, uv[start:stop])
            start = stop
        nearer = depth < self.depth[part]
        np.copyto(self.image[part], image, where=nearer[..., None])
        np.copyto(self.depth[part], depth, where=nearer)
        self.owner[part][nearer] = owner
        return int(np.count_nonzero(np.isfinite(depth)))

    def _thickness(self, patch):
        """Width of a line, pixels; 0 for a filled polygon."""
        if not patch.width:
            return 0
        depth = patch.points[:, 2].mean()
        return max(1, round(self.camera.focal * patch.width / depth))

    def _fill(self, image, depth, patch, uv):
        """Rasterise one patch on an object's own image and depth."""
        corners = [np.rint(uv * (1 << SHIFT)).astype(np.int32)]
        far = patch.points[:, 2].max()
        near = patch.points[:, 2].min()
        if patch.width:
            thickness = self._thickness(patch)
            cv2.polylines(
                image, corners, False, patch.colour, thickness, shift=SHIFT
            )
            if patch.solid:
                middle = float(near + far) / 2
                cv2.polylines(
                    depth, corners, False, middle, thickness, shift=SHIFT
                )
            return
        cv2.fillPoly(image, corners, patch.colour, shift=SHIFT)
        if not patch.solid:
            return
        if far - near < 0.02:
            cv2.fillPoly(depth, corners, float(near), shift=SHIFT)
            return
        mask = np.zeros(depth.shape, dtype=np.uint8)
        cv2.fillPoly(mask, corners, 1, shift=SHIFT)
        # 1 / Z is affine in (u, v) on a plane.
        design = np.column_stack([uv, np.ones(len(uv))])
        plane, *_ = np.linalg.lstsq(design, 1 / patch.points[:, 2], rcond=None)
        u = np.arange(depth.shape[1]) * plane[0]
        v = np.arange(depth.shape[0]) * plane[1] + plane[2]
        inverse = np.clip(u[None, :] + v[:, None], 1 / far, 1 / near)
        np.copyto(depth, (1 / inverse).astype(np.float32), where=mask == 1)
