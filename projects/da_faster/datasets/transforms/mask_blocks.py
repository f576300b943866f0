"""Target images of which only a part is seen."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS


@TRANSFORMS.register_module()
class MaskBlocks(BaseTransform):
    """Hides random blocks of an image, of which boxes know nothing.

    Masked image consistency (MIC, Hoyer et al., CVPR 2023): the student has to
    find in the rest what the teacher finds in the whole image. For the
    student's view of the target alone.

    Required and modified key: ``img``, (H, W, 3), uint8.

    Args:
        size (int): Side of a block, pixels.
        ratio (float): Probability of each block to be hidden.
        prob (float): Probability of an image to lose any.
        fill (Sequence[float]): What hidden pixels become, BGR. The default is
            the mean of ImageNet: about 0 for the detector.
    """

    def __init__(
        self,
        size: int = 32,
        ratio: float = 0.5,
        prob: float = 1.0,
        fill: tuple[float, float, float] = (104, 116, 124),
    ) -> None:
        if size < 1:
            raise ValueError(f'MaskBlocks: size must be >= 1, got {size!r}')
        for name, value in dict(ratio=ratio, prob=prob).items():
            if not 0 <= value <= 1:
                raise ValueError(
                    f'MaskBlocks: {name} must be between 0 and 1, '
                    f'got {value!r}'
                )
        self.size = size
        self.ratio = ratio
        self.prob = prob
        self.fill = fill

    def transform(self, results: dict) -> dict:
        if np.random.random() < self.prob:
            image = results['img'].copy()
            height, width = image.shape[:2]
            shape = -(-height // self.size), -(-width // self.size)
            hidden = np.random.random(shape) < self.ratio
            hidden = np.kron(hidden, np.ones((self.size,) * 2, bool))
            image[hidden[:height, :width]] = self.fill
            results['img'] = image
        return results
