"""Gives source images the colours of target images."""

from collections import OrderedDict

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import DATASETS, TRANSFORMS

from ..target_dataset import TargetDataset
from .levels import to_uint8

SMALL = 48  # image height, pixels, for local statistics
LEVELS = np.arange(256, dtype=np.float32)


def map_levels(
    image: np.ndarray, table: np.ndarray, strength: float
) -> np.ndarray:
    """Replaces the levels of each channel.

    Args:
        image (np.ndarray): (H, W, 3), uint8.
        table (np.ndarray): New level of each old level and channel, (256, 3).
        strength (float): 1 takes the new levels, 0 keeps the old ones.
    """
    old = LEVELS[:, None]
    return cv2.LUT(image, to_uint8(old + strength * (table - old))[None])


class Histogram:
    """Matches the histogram of each channel (Gonzalez and Woods)."""

    def measure(self, image: np.ndarray) -> np.ndarray:
        """Measures the cumulative histogram.

        Args:
            image (np.ndarray): (H, W, 3), uint8.

        Returns:
            np.ndarray: Fraction of pixels up to each level, (3, 256).
        """
        counts = [
            cv2.calcHist([image], [c], None, [256], [0, 256])[:, 0]
            for c in range(3)
        ]
        return np.cumsum(counts, axis=1) / image[..., 0].size

    def apply(
        self, image: np.ndarray, target: np.ndarray, strength: float
    ) -> np.ndarray:
        columns = []
        for ours, theirs in zip(self.measure(image), target):
            # Leave out levels that no target pixel has.
            fractions, first = np.unique(theirs, return_index=True)
            columns.append(np.interp(ours, fractions, LEVELS[first]))
        return map_levels(image, np.stack(columns, axis=1), strength)


class Statistics:
    """Matches mean and standard deviation (Reinhard et al., 2001)."""

    EPSILON = 4.0  # levels; added to deviations, so flat images stay flat

    def measure(self, image: np.ndarray) -> np.ndarray:
        """Measures mean and standard deviation.

        Args:
            image (np.ndarray): (H, W, 3), uint8.

        Returns:
            np.ndarray: Mean and deviation of each channel, (2, 3).
        """
        return np.stack([x[:, 0] for x in cv2.meanStdDev(image)])

    def apply(
        self, image: np.ndarray, target: np.ndarray, strength: float
    ) -> np.ndarray:
        source = self.measure(image)
        scale = (target[1] + self.EPSILON) / (source[1] + self.EPSILON)
        table = (LEVELS[:, None] - source[0]) * scale + target[0]
        return map_levels(image, table, strength)


class LocalStatistics:
    """Matches mean and standard deviation around each pixel.

    Args:
        region (float): Standard deviation of the Gaussian window, in heights
            of the image.
    """

    def __init__(self, region: float) -> None:
        self.region = region

    def measure(self, image: np.ndarray) -> np.ndarray:
        """Measures mean and standard deviation in each window.

        Args:
            image (np.ndarray): (H, W, 3), uint8.

        Returns:
            np.ndarray: Mean of each channel, then the deviation averaged over
            channels, (h, w, 4); h is at most 48.
        """
        height, width = image.shape[:2]
        small = min(SMALL, height)
        size = max(round(width * small / height), 1), small
        image = image.astype(np.float32)
        moments = [
            cv2.GaussianBlur(
                cv2.resize(x, size, interpolation=cv2.INTER_AREA),
                (0, 0),
                self.region * small,
            )
            for x in (image, cv2.multiply(image, image))
        ]
        variance = (moments[1] - moments[0] ** 2).clip(0)
        deviation = np.sqrt(variance).mean(axis=2, keepdims=True)
        return np.concatenate([moments[0], deviation], axis=2)

    def apply(
        self, image: np.ndarray, target: np.ndarray, strength: float
    ) -> np.ndarray:
        source = self.measure(image)
        target = cv2.resize(target, source.shape[1::-1])
        epsilon = Statistics.EPSILON
        scale = (target[..., 3:] + epsilon) / (source[..., 3:] + epsilon)
        shift = target[..., :3] - scale * source[..., :3]
        # (I - m_s) / (s_s + e) * (s_t + e) + m_t, blended with I.
        scale = np.repeat(1 + strength * (scale - 1), 3, axis=2)
        scale, shift = (
            cv2.resize(x, image.shape[1::-1])
            for x in (scale, strength * shift)
        )
        styled = cv2.multiply(image.astype(np.float32), scale)
        return to_uint8(cv2.add(styled, shift))


class Fourier:
    """Swaps the amplitude of low frequencies (Yang and Soatto, CVPR 2020).

    Low frequencies need few pixels. So both images are resized to one small
    shape, and the change of the small image is added to the large one.

    Args:
        beta (float): Half the side of the swapped square of frequencies, as
            a fraction of all frequencies.
    """

    SIZE = 128

    def __init__(self, beta: float) -> None:
        half = max(int(beta * self.SIZE), 1)
        turns = np.outer(np.arange(-half, half + 1), np.arange(self.SIZE))
        # The rows of the Fourier matrix that are needed.
        self.waves = np.exp(-2j * np.pi / self.SIZE * turns)

    def low_frequencies(self, image: np.ndarray) -> np.ndarray:
        """Low frequencies of an image, (3, b, b), zero in the middle."""
        size = self.SIZE, self.SIZE
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return self.waves @ image.transpose(2, 0, 1) @ self.waves.T

    def measure(self, image: np.ndarray) -> np.ndarray:
        """Measures the amplitudes of low frequencies.

        Args:
            image (np.ndarray): (H, W, 3), uint8.

        Returns:
            np.ndarray: Amplitudes, (3, b, b).
        """
        return np.abs(self.low_frequencies(image)).astype(np.float32)

    def apply(
        self, image: np.ndarray, target: np.ndarray, strength: float
    ) -> np.ndarray:
        low = self.low_frequencies(image)
        amplitude = np.abs(low)
        change = low / np.maximum(amplitude, 1e-6) * (target - amplitude)
        back = self.waves.conj()
        change = (back.T @ change @ back).real / self.SIZE**2
        change = np.float32(strength * change).transpose(1, 2, 0)
        change = cv2.resize(change, image.shape[1::-1])
        return to_uint8(image + change)


@TRANSFORMS.register_module()
class TargetStyle(BaseTransform):
    """Gives an image the colours of a random target image.

    Boxes are kept. A TargetDataset reads the target images, so no labels can
    leak. The measured values of target images are cached in each worker.

    Required and modified key: ``img``, (H, W, 3), BGR, uint8 or floats of 0 to
    255. A changed image is uint8.

    Args:
        dataset (dict): Config of a TargetDataset. Its pipeline is not used.
        method (str): ``histogram``, ``statistics`` (mean and deviation) or
            ``fourier``.
        region (float, optional): For ``statistics``: standard deviation of a
            Gaussian window, in image heights. Statistics are matched in the
            window around each pixel, and the target image is mirrored with
            probability 0.5. None matches the statistics of the whole image.
        beta (float): For ``fourier``: half the side of the swapped square of
            frequencies, as a fraction of all frequencies.
        prob (float): Probability of a changed image.
        strength (float): 1 takes the target's colours, 0 keeps the image's.
        cache_mb (float): Maximum size of the cache of a worker, MB.

    Raises:
        ValueError: If an argument is out of range or the dataset is of
            another type.
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
            statistics=(
                Statistics
                if region is None
                else lambda: LocalStatistics(region)
            ),
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
        """The measured values of a target image, cached."""
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
        # Draw all numbers first, so that later transforms draw the same
        # numbers whatever prob is.
        change, mirror = np.random.random(2)
        index = np.random.randint(len(self.dataset))
        if change >= self.prob:
            return results
        target = self.measured(index)
        if self.mirrored and mirror < 0.5:
            target = np.ascontiguousarray(target[:, ::-1])
        results['img'] = self.method.apply(
            to_uint8(results['img']), target, self.strength
        )
        return results
