"""Optics of the foggy city: homogeneous fog, camera transfer curve, noise.

The fog is that of Foggy Cityscapes (Sakaridis, Dai and Van Gool, "Semantic
Foggy Scene Understanding with Synthetic Data", IJCV 2018, eq. 1 and 2), as a
function of the true distance of every pixel::

    I(x) = R(x) t(x) + L (1 - t(x)),    t(x) = exp(-beta l(x))

Light adds up linearly, so fog is computed on linear radiance.  The transfer
curve and the noise of the camera follow, the same in both domains.  So fog
lowers the signal-to-noise ratio, not only the contrast.
"""

import math

import cv2
import numpy as np

DEFAULT_BETA = 0.01
"""Attenuation coefficient, 1/m: a meteorological optical range of 300 m."""

NOISE_SIGMA = 0.016
"""Standard deviation of the camera noise, in units of the output range."""

GAMMA = 2.2
"""Exponent of the camera's transfer curve."""

BLUR_SIGMA = 0.45
"""Standard deviation of the lens's point spread, in output pixels."""


def transmittance(distance, beta):
    """Fraction of the scene's light that reaches the camera.

    Args:
        distance (np.ndarray): Distance to the camera along the ray, metres.
        beta (float): Attenuation coefficient, 1/m, not negative.

    Returns:
        np.ndarray: ``exp(-beta * distance)``, shape of ``distance``.

    Raises:
        ValueError: If ``beta`` is negative or not finite.
    """
    if not (math.isfinite(beta) and beta >= 0):
        raise ValueError(f'beta must be finite and not negative, got {beta}')
    return np.exp(-beta * distance)


def ray_distance(depth, focal, centre):
    """Turns depth along the optical axis into distance along each ray.

    Args:
        depth (np.ndarray): Depth, metres, shape (H, W).
        focal (float): Focal length, pixels.
        centre (tuple[float, float]): Principal point (u, v), pixels.

    Returns:
        np.ndarray: Distance, metres, float32, shape (H, W).
    """
    height, width = depth.shape
    u = (np.arange(width, dtype=np.float32) + 0.5 - centre[0]) / focal
    v = (np.arange(height, dtype=np.float32) + 0.5 - centre[1]) / focal
    stretch = np.sqrt(1 + u[None, :] ** 2 + v[:, None] ** 2)
    return (depth * stretch).astype(np.float32)


def add_fog(radiance, distance, beta, light):
    """Mixes the scene with the light that the fog scatters to the camera.

    Args:
        radiance (np.ndarray): Linear radiance R of the clear scene in [0, 1],
            shape (H, W, 3).
        distance (np.ndarray): Distance l of each pixel, metres, shape (H, W).
        beta (float): Attenuation coefficient, 1/m; 0 leaves R as it is.
        light (Sequence[float]): Atmospheric light L, linear, shape (3,).

    Returns:
        np.ndarray: Radiance of the foggy scene, shape (H, W, 3).
    """
    if radiance.shape[:2] != distance.shape:
        raise ValueError(
            f'radiance of shape {radiance.shape} does not fit '
            f'distance of shape {distance.shape}'
        )
    through = transmittance(distance, beta)[..., None].astype(radiance.dtype)
    light = np.asarray(light, dtype=radiance.dtype)
    return radiance * through + light * (1 - through)


def decode(image):
    """Maps 8-bit camera values to linear radiance in [0, 1], float32."""
    if image.dtype != np.uint8:
        raise TypeError(f'image must be uint8, got {image.dtype}')
    table = (np.arange(256, dtype=np.float64) / 255) ** GAMMA
    return cv2.LUT(image, table.astype(np.float32))


def expose(radiance, noise):
    """Turns linear radiance into an 8-bit image, as a camera does.

    Args:
        radiance (np.ndarray): Linear radiance, float32, shape (H, W, 3).
        noise (np.ndarray): Standard normal noise, shape (H, W, 3).

    Returns:
        np.ndarray: Image, uint8, shape (H, W, 3).
    """
    seen = cv2.GaussianBlur(radiance, (0, 0), BLUR_SIGMA)
    seen = np.power(np.clip(seen, 0, 1), np.float32(1 / GAMMA))
    seen = seen + NOISE_SIGMA * noise
    return np.rint(np.clip(seen, 0, 1) * 255).astype(np.uint8)
