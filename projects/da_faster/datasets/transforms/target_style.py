"""Source images in the colours of target images."""

from collections import OrderedDict

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import DATASETS, TRANSFORMS

from ..target_dataset import TargetDataset

SMALL = 48  # height, pixels, at which local statistics are computed
LEVELS = np.arange(256)


class Histogram:
    """Matches the histogram of each channel (Gonzalez and Woods)."""

    def measure(self, image: np.ndarray) -> np.ndarray:
        """
        Args:
            image (np.ndarray): (H, W, 3), uint8.

        Returns:
            np.ndarray: The share of pixels up to each level, (3, 256).
        """
        counts = [
            np.bincount(image[..., c].ravel(), minlength=256) for c in range(3)
        ]
        shares = np.cumsum(counts, axis=1) / image[..., 0].size
        return shares.astype(np.float32)

    def apply(self, image: np.ndarray, target: np.ndarray) -> np.ndarray:
        shares = self.measure(image)
        channels = []
        for c in range(3):
            # Levels that no target pixel has must not be reached.
            levels, first = np.unique(target[c], return_index=True)
            table = np.interp(shares[c], levels, LEVELS[first])
            channels.append(table[image[..., c]])
        return np.stack(channels, axis=2)


class Statistics:
    """Matches mean and standard deviation (Reinhard et al., 2001).

    Args:
        region (float, optional): Of a Gaussian window around each pixel,
            whose standard deviation is so many heights of the image; of the
            whole image where None. In a window the deviation is that of all
            channels together.
    """

    EPSILON = 4.0  # levels; keeps flat regions from being stretched

    def __init__(self, region: float | None) -> None:
        self.region = region

    def measure(self, image: np.ndarray) -> np.ndarray:
        """
        Args:
            image (np.ndarray): (H, W, 3), 0 to 255.

        Returns:
            np.ndarray: Mean and deviation, (2, 1, 1, 3); in windows (2, h, w,
            3), h at most 48.
        """
        image = image.astype(np.float32)
        if self.region is None:
            axes = 0, 1
            return np.stack(
                [
                    image.mean(axes, keepdims=True),
                    image.std(axes, keepdims=True),
                ]
            )
        height, width = image.shape[:2]
        small = min(SMALL, height)
        size = max(round(width * small / height), 1), small
        sigma = self.region * small
        squares = cv2.resize(image**2, size, interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        blurred = [
            cv2.GaussianBlur(x, (0, 0), sigma) for x in (image, squares)
        ]
        variance = (blurred[1] - blurred[0] ** 2).clip(0)
        deviation = np.sqrt(variance).mean(axis=2, keepdims=True)
        return np.stack([blurred[0], np.repeat(deviation, 3, axis=2)])

    def apply(self, image: np.ndarray, target: np.ndarray) -> np.ndarray:
        size = image.shape[1], image.shape[0]
        source = self.measure(image)
        if self.region is not None:
            source, target = (
                [
                    cv2.resize(x, size, interpolation=cv2.INTER_LINEAR)
                    for x in s
                ]
                for s in (source, target)
            )
        scale = (target[1] + self.EPSILON) / (source[1] + self.EPSILON)
        return (image - source[0]) * scale + target[0]


class Fourier:
    """Swaps the amplitude of low frequencies (Yang and Soatto, CVPR 2020).

    Args:
        beta (float): Half the side of the swapped square of frequencies, as
            a share of the shorter side of the image.
    """

    SIZE = 256  # target images are brought to this shape first

    def __init__(self, beta: float) -> None:
        self.beta = beta

    def measure(self, image: np.ndarray) -> np.ndarray:
        """
        Args:
            image (np.ndarray): (H, W, 3), 0 to 255.

        Returns:
            np.ndarray: Mean amplitude of the lowest frequencies a pixel,
            (b, b, 3), zero in the middle.
        """
        image = cv2.resize(
            image, (self.SIZE, self.SIZE), interpolation=cv2.INTER_AREA
        )
        half = max(int(self.beta * self.SIZE), 1)
        amplitude = np.abs(np.fft.fft2(image.astype(np.float32), axes=(0, 1)))
        amplitude = np.fft.fftshift(amplitude, axes=(0, 1)) / self.SIZE**2
        middle = self.SIZE // 2
        rows = slice(middle - half, middle + half + 1)
        return amplitude[rows, rows].astype(np.float32)

    def apply(self, image: np.ndarray, target: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        half = len(target) // 2
        spectrum = np.fft.fftshift(
            np.fft.fft2(image.astype(np.float32), axes=(0, 1)), axes=(0, 1)
        )
        reach = min(half, (min(height, width) - 1) // 2)
        inner = slice(half - reach, half + reach + 1)
        rows = slice(height // 2 - reach, height // 2 + reach + 1)
        columns = slice(width // 2 - reach, width // 2 + reach + 1)
        low = spectrum[rows, columns]
        phase = low / np.maximum(np.abs(low), 1e-6)
        spectrum[rows, columns] = (
            phase * target[inner, inner] * (height * width)
        )
        spectrum = np.fft.ifftshift(spectrum, axes=(0, 1))
        return np.fft.ifft2(spectrum, axes=(0, 1)).real


@TRANSFORMS.register_module()
class TargetStyle(BaseTransform):
    """Gives an image the colours of a random image of the target.

    The boxes stay where they are. Target images come through a TargetDataset,
    so there are no labels that could leak. What is measured of each target
    image is kept, up to ``cache_mb`` in each worker.

    Required and modified key: ``img``, (H, W, 3), BGR, uint8.

    Args:
        dataset (dict): A TargetDataset. Its pipeline is not used.
        method (str): ``histogram``, ``statistics`` (mean and deviation) or
            ``fourier``.
        region (float, optional): ``statistics`` alone: around each pixel, in
            a Gaussian window of so many heights of the image; then the target
            image is mirrored half of the time. None: of the whole image.
        beta (float): ``fourier`` alone: the share of frequencies that are
            swapped.
        prob (float): Of a changed image.
        strength (float): 1 takes the target's colours, 0 keeps the image's.
        cache_mb (float): Bound on the memory of what was measured, MB.
    """

    def __init__(
        self,
        dataset: dict,
        method: str = 'statistics',
        region: float | None = None,
        beta: float = 0.05,
        prob: float = 0.5,
        strength: float = 1.0,
        cache_mb: float = 64.0,
    ) -> None:
        for name, value, high in (
            ('prob', prob, 1),
            ('strength', strength, 1),
            ('beta', beta, 0.5),
        ):
            if not 0 <= value <= high:
                raise ValueError(
                    f'TargetStyle: {name} must be between 0 and {high}, got '
                    f'{value!r}'
                )
        if region is not None and not (method == 'statistics' and region > 0):
            raise ValueError(
                'TargetStyle: region is a positive number, and only for '
                f"method='statistics'; got {region!r} with {method!r}"
            )
        methods = dict(
            histogram=Histogram,
            statistics=lambda: Statistics(region),
            fourier=lambda: Fourier(beta),
        )
        if method not in methods:
            raise ValueError(
                f'TargetStyle: method must be one of {", ".join(methods)}, '
                f'got {method!r}'
            )
        self.method = methods[method]()
        self.mirrored = region is not None
        self.prob = prob
        self.strength = strength
        self.cache_bytes = int(cache_mb * 2**20)
        self.cached = 0
        self.cache: OrderedDict[int, np.ndarray] = OrderedDict()
        self.dataset = DATASETS.build(dict(dataset, pipeline=[]))
        if not isinstance(self.dataset, TargetDataset):
            raise ValueError(
                "TargetStyle: dataset must be of type='TargetDataset', which "
                f'holds no labels; got {type(self.dataset).__name__}'
            )

    def measured(self, index: int) -> np.ndarray:
        """What the method measures of a target image."""
        if index in self.cache:
            self.cache.move_to_end(index)
            return self.cache[index]
        path = self.dataset.get_data_info(index)['img_path']
        found = self.method.measure(mmcv.imread(path))
        self.cache[index] = found
        self.cached += found.nbytes
        while self.cached > self.cache_bytes and len(self.cache) > 1:
            self.cached -= self.cache.popitem(last=False)[1].nbytes
        return found

    def transform(self, results: dict) -> dict:
        # All numbers are drawn, so that what follows does not depend on prob.
        change, mirror = np.random.random(2)
        index = np.random.randint(len(self.dataset))
        if change >= self.prob:
            return results
        target = self.measured(index)
        if self.mirrored and mirror < 0.5:
            target = np.ascontiguousarray(target[:, :, ::-1])
        image = results['img']
        styled = self.method.apply(image, target)
        styled = image + self.strength * (styled - image)
        results['img'] = np.rint(styled).clip(0, 255).astype(np.uint8)
        return results
