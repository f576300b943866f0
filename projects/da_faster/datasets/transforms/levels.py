"""Rounding of pixel levels."""

import numpy as np


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Rounds levels and clips them to 0 and 255."""
    if image.dtype == np.uint8:
        return image
    return np.rint(image).clip(0, 255).astype(np.uint8)
