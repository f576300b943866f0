"""Checks that images of more than 8 bits do not become dark when loaded."""

import mmcv
import numpy as np

from da_faster.listing import choose_evenly

from .checks import Checker
from .parts import Part

DARK = 64  # of 255: an image with hardly any higher value is nearly black


def check_brightness(
    checker: Checker, part: Part, read: dict, how: dict | None, most: int
) -> None:
    """Finds images of more than 8 bits that cannot be loaded or become dark.

    Of 16 bits OpenCV keeps the upper 8, so that 4095 of a camera with 12 bits
    becomes 15.

    Args:
        checker (Checker): Gets the findings.
        part (Part): The part with the images.
        read (dict[str, ImageFile]): By path, what was read of some images or
            all.
        how (dict): Arguments of ``mmcv.imread``; None where they are not
            known.
        most (int): How many of these images to load.
    """
    looked = [path for path in part.images if path in read]
    deep = [path for path in looked if read[path].deep]
    if not deep or how is None:
        return
    many = f'{len(deep)} of {len(looked)} images have more than 8 bits'
    advice = 'stretch their values and save them with 8 bits a sample.'
    for path in choose_evenly(deep, most):
        try:
            image = mmcv.imread(path, **how)
        except Exception:  # each backend has errors of its own
            image = None
        if image is None:
            checker.fatal(
                f'{part.where}: {many} a sample, and {how["backend"]} cannot '
                f'load {path}: {advice}'
            )
            return
        # A few bright pixels, of a scale bar, make no difference.
        highest = np.percentile(image, 99.9)
        if image.dtype == np.uint8 and highest < DARK:
            checker.warn(
                f'{part.where}: {many} a sample, and are dark when they are '
                f'loaded, e.g. {path}, whose values end at {highest:.0f} of '
                f'255: {advice}'
            )
            return
