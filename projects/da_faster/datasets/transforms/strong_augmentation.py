"""Makes the strong view of an image: colours, blur, erased rectangles."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from .levels import to_uint8

GREY = np.array([0.114, 0.587, 0.299], np.float32)  # weights of B, G, R

# The rectangles of ALDI++: probability, range of the area (fraction of the
# image), range of height / width.
ERASE = (
    (0.7, (0.05, 0.2), (0.3, 3.3)),
    (0.5, (0.02, 0.2), (0.1, 6.0)),
    (0.3, (0.02, 0.2), (0.05, 8.0)),
)


@TRANSFORMS.register_module()
class StrongAugmentation(BaseTransform):
    """Changes the appearance of an image, and keeps the boxes.

    The steps, in this order: contrast, brightness and saturation together;
    grey; Gaussian blur of each channel; rectangles of noise. All numbers are
    those of ALDI++ (Kay et al., 2024) and Unbiased Teacher (Liu et al., ICLR
    2021). By default no rectangle is erased, in contrast to both: an object
    under a rectangle keeps its label, and short trainings from scratch were
    worse with rectangles.

    Required and modified key: ``img``, (H, W, 3), BGR, uint8 or floats of 0
    to 255; it becomes uint8.

    Args:
        jitter_prob (float): Probability of changed contrast, brightness and
            saturation.
        jitter_range (tuple[float, float]): Range of the three factors for
            contrast, brightness and saturation.
        grey_prob (float): Probability of a grey image.
        blur_prob (float): Probability of a blurred image.
        blur_sigma (tuple[float, float]): Range of the blur's standard
            deviation, pixels.
        erase (bool | Sequence): For each rectangle, its probability, the range
            of its area as a fraction of the image, and the range of height /
            width. True stands for the three rectangles of ALDI++.

    Raises:
        ValueError: If a probability or a range is out of bounds.
    """

    def __init__(
        self,
        jitter_prob: float = 0.8,
        jitter_range: tuple[float, float] = (0.6, 1.4),
        grey_prob: float = 0.2,
        blur_prob: float = 0.5,
        blur_sigma: tuple[float, float] = (0.1, 2.0),
        erase: bool | Sequence[tuple] = False,
    ) -> None:
        erase = ERASE if erase is True else erase or ()
        probs = dict(
            jitter_prob=jitter_prob, grey_prob=grey_prob, blur_prob=blur_prob
        )
        for i, (prob, _, _) in enumerate(erase):
            probs[f'erase[{i}][0]'] = prob
        for name, prob in probs.items():
            if not 0 <= prob <= 1:
                raise ValueError(
                    f'StrongAugmentation: {name} must be between 0 and 1, '
                    f'got {prob!r}'
                )
        ranges = dict(jitter_range=jitter_range, blur_sigma=blur_sigma)
        for i, (_, area, ratio) in enumerate(erase):
            ranges[f'erase[{i}][1]'], ranges[f'erase[{i}][2]'] = area, ratio
        for name, (low, high) in ranges.items():
            if not 0 < low <= high:
                raise ValueError(
                    f'StrongAugmentation: {name} must be two numbers, '
                    f'0 < low <= high, got {(low, high)!r}'
                )
        self.jitter_prob = jitter_prob
        self.jitter_range = jitter_range
        self.grey_prob = grey_prob
        self.blur_prob = blur_prob
        self.blur_sigma = blur_sigma
        self.erase = erase

    def transform(self, results: dict) -> dict:
        image = to_uint8(results['img'])
        if np.random.random() < self.jitter_prob:
            image = jitter(image, *np.random.uniform(*self.jitter_range, 3))
        if np.random.random() < self.grey_prob:
            image = jitter(image, 1, 1, 0)
        if np.random.random() < self.blur_prob:
            sigma = np.random.uniform(*self.blur_sigma)
            image = cv2.GaussianBlur(image, (0, 0), sigma)
        if self.erase and image is results['img']:
            image = image.copy()
        for prob, area, ratio in self.erase:
            if np.random.random() < prob:
                erase(image, area, ratio)
        results['img'] = image
        return results


def jitter(
    image: np.ndarray, contrast: float, brightness: float, saturation: float
) -> np.ndarray:
    """Changes the colours of an image, (H, W, 3), BGR, uint8.

    ``contrast`` scales the distance from the mean grey of the image,
    ``saturation`` the distance from the pixel's own grey. All three factors
    make one linear map of a pixel.
    """
    mean = np.dot(cv2.mean(image)[:3], GREY)
    matrix = saturation * np.eye(3) + (1 - saturation) * np.tile(GREY, (3, 1))
    offset = brightness * (1 - contrast) * mean
    matrix = np.column_stack(
        [brightness * contrast * matrix, np.full(3, offset)]
    )
    return cv2.transform(image, matrix)


def erase(
    image: np.ndarray,
    area: tuple[float, float],
    ratio: tuple[float, float],
    tries: int = 10,
) -> None:
    """Fills a random rectangle of an image, (H, W, C), with noise, in place.

    Args:
        image (np.ndarray): The image, uint8.
        area (tuple[float, float]): Range of the rectangle's area, as a
            fraction of the image.
        ratio (tuple[float, float]): Range of height / width, whose logarithm
            is uniform.
        tries (int): Number of shapes that are tried until one fits into the
            image. If none fits, nothing is erased.
    """
    height, width = image.shape[:2]
    for _ in range(tries):
        pixels = np.random.uniform(*area) * height * width
        shape = np.exp(np.random.uniform(*np.log(ratio)))
        h, w = round(np.sqrt(pixels * shape)), round(np.sqrt(pixels / shape))
        if 0 < h < height and 0 < w < width:
            top = np.random.randint(height - h + 1)
            left = np.random.randint(width - w + 1)
            image[top : top + h, left : left + w] = np.random.randint(
                0, 256, (h, w, image.shape[2]), np.uint8
            )
            return
