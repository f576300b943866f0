"""Camera, light and the faces of objects, in metres.

World frame: X to the right, Y up from the ground, Z ahead; the camera stands
at (0, altitude, 0) and looks along Z.  Frame of an object: ``l`` ahead, ``y``
up, ``s`` to its right; an object with yaw 0 heads away from the camera.
"""

from dataclasses import dataclass

import numpy as np

NEAR = 1.0
"""Least depth of a point that can be drawn, metres."""


@dataclass(frozen=True)
class Camera:
    """Pinhole camera without pitch; a shifted horizon replaces pitch.

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
        """Projects world points.

        Args:
            points (np.ndarray): (X, Y, Z), metres, shape (N, 3).

        Returns:
            np.ndarray: Pixel positions (u, v), shape (N, 2).

        Raises:
            ValueError: If a point is nearer than ``NEAR``.
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
        ambient (float): Amount of light that comes from all sides.
        diffuse (float): Amount of light that comes from the sun.
        tint (tuple[float, float, float]): Colour of the light, RGB.
    """

    sun: tuple
    ambient: float
    diffuse: float
    tint: tuple

    def shade(self, colour, normal=(0.0, 1.0, 0.0)):
        """Lights the colour of a matt surface.

        Args:
            colour (Sequence[float]): RGB of the surface.
            normal (Sequence[float]): Unit normal of the surface.

        Returns:
            tuple[int, int, int]: RGB, 0 to 255.
        """
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
        solid (bool): Whether the patch is part of its object's shape.  Other
            patches are paint, which is visible on solid patches only.
        width (float): Width of a line, metres; 0 fills the polygon.
    """

    points: np.ndarray
    colour: tuple
    solid: bool = True
    width: float = 0.0


class Pose:
    """Position and heading of an object, which tell its visible sides.

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
        """A pose ``length`` metres ahead and ``side`` metres to the right."""
        x, _, z = self.world([(length, 0.0, side)])[0]
        return Pose(x, z, self.yaw, self.altitude, self.light)

    def lit(self, light):
        """A copy of the pose in another light."""
        return Pose(self.x, self.z, self.yaw, self.altitude, light)

    def world(self, points):
        """Maps points (l, y, s) of shape (N, 3) to the world frame."""
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
        """Lights a colour; the normal is in the object's frame."""
        length, up, side = normal
        turned = (
            length * self.sin + side * self.cos,
            up,
            length * self.cos - side * self.sin,
        )
        return self.light.shade(colour, turned)

    def loft(self, profile, colour):
        """Makes a convex solid that is symmetric about the plane s = 0.

        Args:
            profile (Sequence): Corners (l, y, half width) of the side view's
                outline, in order, metres, shape (N, 3).
            colour (tuple): RGB of the solid.

        Returns:
            list[Patch]: Faces of the solid that the camera sees.
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
        """Makes a box from ``back`` to ``front``, ``low`` to ``high``."""
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
        """Paints a polygon (l, y) on the left and right sides.

        Sides that the camera does not see are left out. ``half`` is the
        distance of a side from the middle, one number or one per corner.
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
        """Paints a polygon (s, y) on the front or back, if it is visible.

        ``length`` is the position of the end, one number or one per corner;
        positive is the front, negative the back.
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
    """Picks a colour of a palette and varies it slightly, RGB."""
    colour = palette[rng.integers(len(palette))]
    bright = rng.uniform(0.86, 1.1)
    return tuple(bright * c * rng.uniform(0.97, 1.03) for c in colour)


def rectangle(left, right, low, high):
    """Corners of an upright rectangle, shape (4, 2)."""
    return np.array([(left, low), (right, low), (right, high), (left, high)])


def disc(centre, radius, corners=14):
    """Points on an ellipse, shape (N, 2); ``radius`` is one number or two."""
    angle = np.arange(corners) * (2 * np.pi / corners)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius + centre
