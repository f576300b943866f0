"""What becomes of images of more than 8 bits when they are loaded."""

import mmcv
import numpy as np

from da_faster.listing import spread

from .checks import Checker
from .parts import Part

DARK = 64  # of 255: an image with hardly any higher value is hardly seen


def check_brightness(
    checker: Checker, part: Part, read: dict, how: dict | None, most: int
) -> None:
    """Images of more than 8 bits can be loaded and do not become black.

    Of 16 bits OpenCV keeps the upper 8, so that 4095 of a camera with 12 bits
    becomes 15.

    Args:
        checker: Gets the findings.
        part: Of the data.
        read: ImageFile by path, of all of its images or some.
        how: Arguments of ``mmcv.imread``. None where it is not known.
        most: How many such images to load.
    """
    looked = [path for path in part.images if path in read]
    deep = [path for path in looked if read[path].deep]
    if not deep or how is None:
        return
    many = f'{len(deep)} of {len(looked)} images have more than 8 bits'
    mend = 'stretch their values and save them with 8 bits a sample.'
    for path in spread(deep, most):
        try:
            image = mmcv.imread(path, **how)
        except Exception:  # each backend has errors of its own
            image = None
        if image is None:
            checker.fatal(
                f'{part.where}: {many} a sample, and {how["backend"]} cannot '
                f'load {path}: {mend}'
            )
            return
        # A few bright pixels, of a scale bar, make no difference.
        highest = np.percentile(image, 99.9)
        if image.dtype == np.uint8 and highest < DARK:
            checker.warn(
                f'{part.where}: {many} a sample, and are dark when they are '
                f'loaded, e.g. {path}, whose values end at {highest:.0f} of '
                f'255: {mend}'
            )
            return
