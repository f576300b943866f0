"""Canvas that draws patches with a depth buffer."""

import cv2
import numpy as np

FAR = 1000.0
"""Depth of the sky, metres."""

SHIFT = 4
"""Fractional bits of the coordinates that OpenCV gets."""


class Canvas:
    """Image with a depth and an owner for every pixel.

    Attributes:
        image (np.ndarray): RGB, uint8, shape (H, W, 3).
        depth (np.ndarray): Depth along Z, metres, float32, shape (H, W).
        owner (np.ndarray): Number of the object that a pixel shows, 0 for
            none, int16, shape (H, W).
    """

    def __init__(self, camera):
        self.camera = camera
        shape = (camera.height, camera.width)
        self.image = np.zeros((*shape, 3), dtype=np.uint8)
        self.depth = np.full(shape, FAR, dtype=np.float32)
        self.owner = np.zeros(shape, dtype=np.int16)

    def draw(self, patches, owner=0):
        """Draws an object; at every pixel the nearest object is visible.

        Args:
            patches (list[Patch]): Patches of the object. Later patches cover
                earlier ones.
            owner (int): Number of the object.

        Returns:
            int: Number of the object's pixels, hidden ones included.
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
        """Width of a patch that is a line, pixels; 0 for a polygon."""
        if not patch.width:
            return 0
        depth = patch.points[:, 2].mean()
        return max(1, round(self.camera.focal * patch.width / depth))

    def _fill(self, image, depth, patch, uv):
        """Draws one patch into the image and depth of its object."""
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
