"""Block masking of images."""

import pytest
import torch

from da_faster.models import BlockMasking


def test_whole_blocks_are_masked_in_each_image():
    torch.manual_seed(0)
    images = torch.ones(2, 3, 70, 100)
    seen = BlockMasking(size=32, ratio=0.5)(images)
    assert (images == 1).all()
    assert seen.shape == images.shape
    masked = torch.zeros(2, 3, 4)
    for row in range(3):
        for column in range(4):
            block = seen[
                ..., 32 * row : 32 * row + 32, 32 * column : 32 * column + 32
            ]
            for index, part in enumerate(block):
                assert part.unique().numel() == 1
                masked[index, row, column] = part[0, 0, 0] == 0
    assert 0 < masked.mean() < 1
    assert not torch.equal(masked[0], masked[1])


@pytest.mark.parametrize('ratio', [0.0, 1.0])
def test_the_ends(ratio):
    seen = BlockMasking(ratio=ratio)(torch.ones(1, 3, 40, 40))
    assert (seen == 1 - ratio).all()


def test_fraction_of_masked_pixels():
    torch.manual_seed(0)
    seen = BlockMasking(size=8, ratio=0.3)(torch.ones(1, 1, 320, 320))
    assert abs(1 - seen.mean() - 0.3) < 0.04  # 1,600 blocks: 3.5 deviations


@pytest.mark.parametrize(
    'options', [dict(size=0), dict(size=16.0), dict(ratio=1.5)]
)
def test_wrong_options(options):
    (name,) = options
    with pytest.raises(ValueError, match=f'BlockMasking: {name} must'):
        BlockMasking(**options)
