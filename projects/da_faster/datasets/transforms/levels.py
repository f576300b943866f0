"""The levels of an image's pixels."""

import numpy as np


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Rounds levels and cuts what lies beyond 0 and 255."""
    if image.dtype == np.uint8:
        return image
    return np.rint(image).clip(0, 255).astype(np.uint8)
