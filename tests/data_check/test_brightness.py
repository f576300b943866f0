"""Images of more than 8 bits."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from checking import SIZE
from da_faster.data_check import check


@pytest.mark.parametrize('full', [False, True])
@pytest.mark.parametrize('name', ['source1.png', 'target1.png', 'target1.tif'])
@pytest.mark.parametrize('channels', [1, 3])
def test_images_of_16_bits(data, full, name, channels):
    """OpenCV keeps the upper 8 of 16: a camera's 12 become next to none."""
    role = name[:6]
    Path(role, f'{role}1.png').unlink()
    pixels = np.full((100, 200, channels), 4095, np.uint16)
    pixels[0, 0] = 65535  # a scale bar
    if role == 'source':
        pixels = pixels[:10, :20]
        pixels[0, 0] = 4095

    def found(factor):
        cv2.imwrite(f'{role}/{name}', pixels * factor)
        return check(data, read_images=full, nproc=1).findings

    (finding,) = found(1)
    assert not finding.fatal
    assert '1 of 3 images have more than 8 bits a sample' in finding.text
    assert re.search(f'{name}, whose values end at 1[56] of', finding.text)
    assert found(16) == []
    # As the config loads them: with all bits, and by somebody's own transform.
    loaders = (data.train_dataloader, data.train_cfg.target_dataloader)
    for step in (
        dict(type='LoadImageFromFile', color_type='unchanged'),
        dict(type='LoadMicroscopeImage'),
    ):
        for loader in loaders:
            loader.dataset.pipeline = [step]
        assert found(1) == []


@pytest.mark.parametrize('full', [False, True])
def test_samples_that_opencv_cannot_load(data, full):
    pixels = np.full(SIZE[::-1], 0.5, np.float32)
    Image.fromarray(pixels).save('target/target1.tif')
    (finding,) = check(data, read_images=full, nproc=1).findings
    assert finding.fatal
    assert 'cv2 cannot load target/target1.tif' in finding.text.replace(
        './', ''
    )
    data.train_cfg.target_dataloader.dataset.pipeline = [
        dict(type='LoadImageFromFile', imdecode_backend='tifffile')
    ]
    assert check(data, read_images=full, nproc=1).findings == []
