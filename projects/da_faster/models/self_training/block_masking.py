"""Block masking: parts of an image that the student does not see."""

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class BlockMasking(nn.Module):
    """Masks random blocks of images, wherever the boxes are.

    This is masked image consistency (MIC, Hoyer et al., CVPR 2023): the
    student has to find in the rest of an image what the teacher finds in the
    whole image. A masked pixel becomes 0: the mean colour, or black where the
    preprocessor has no mean.

    Args:
        size (int): Side of a block, in pixels.
        ratio (float): Probability of each block to be masked.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, size: int = 32, ratio: float = 0.5) -> None:
        super().__init__()
        if not isinstance(size, int) or size < 1:
            raise ValueError(
                'BlockMasking: size must be an integer of at least 1, got '
                f'{size!r}'
            )
        if not 0 <= ratio <= 1:
            raise ValueError(
                f'BlockMasking: ratio must lie in [0, 1], got {ratio!r}'
            )
        self.size = size
        self.ratio = ratio

    def forward(self, images: Tensor) -> Tensor:
        """Copies images, and masks blocks of each.

        Args:
            images (Tensor): (N, C, H, W), normalised.

        Returns:
            Tensor: (N, C, H, W).
        """
        height, width = images.shape[-2:]
        rows, columns = -(-height // self.size), -(-width // self.size)
        masked = torch.rand(
            (len(images), 1, rows, columns), device=images.device
        ).lt(self.ratio)
        for axis in (-2, -1):
            masked = masked.repeat_interleave(self.size, axis)
        return images.masked_fill(masked[..., :height, :width], 0)
