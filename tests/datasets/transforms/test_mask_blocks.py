"""Hidden blocks of an image."""

import numpy as np
import pytest

from da_faster.datasets import MaskBlocks


def test_whole_blocks_are_hidden():
    np.random.seed(0)
    image = np.full((70, 100, 3), 200, np.uint8)
    boxes = np.ones((1, 4))
    hide = MaskBlocks(size=32, fill=(1, 2, 3))
    results = hide.transform(dict(img=image, gt_bboxes=boxes))
    assert (image == 200).all()  # the other view shares it
    assert results['gt_bboxes'] is boxes
    hidden = set()
    for row in range(3):
        for column in range(4):
            block = results['img'][
                32 * row : 32 * row + 32, 32 * column : 32 * column + 32
            ]
            assert (block == block[0, 0]).all()
            if block[0, 0].tolist() == [1, 2, 3]:
                hidden.add((row, column))
    assert 0 < len(hidden) < 12


@pytest.mark.parametrize('options', [dict(ratio=0.0), dict(prob=0.0)])
def test_nothing_is_hidden(options):
    image = np.full((40, 40, 3), 200, np.uint8)
    assert (
        MaskBlocks(**options).transform(dict(img=image))['img'] == 200
    ).all()


def test_share_of_hidden_blocks():
    np.random.seed(0)
    image = np.ones((320, 320, 3), np.uint8)
    hide = MaskBlocks(size=8, ratio=0.3, fill=(0, 0, 0))
    share = 1 - hide.transform(dict(img=image))['img'].mean()
    assert abs(share - 0.3) < 0.04  # 1,600 blocks: 3.5 deviations


@pytest.mark.parametrize(
    'options', [dict(size=0), dict(ratio=1.5), dict(prob=-0.1)]
)
def test_wrong_options(options):
    (name,) = options
    with pytest.raises(ValueError, match=f'MaskBlocks: {name} must be'):
        MaskBlocks(**options)
