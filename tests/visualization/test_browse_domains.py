"""The picture of both domains after their pipelines."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from da_faster.visualization import domains


@pytest.fixture
def browse(monkeypatch, tmp_path, tiny_config, command):
    # The recorder of the training tests is not needed here.
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / 'integration')

    def run(*options):
        out = tmp_path / 'browse.png'
        command(
            'browse_domains.py',
            tiny_config,
            '--out',
            out,
            '--num',
            2,
            *options,
        )
        with Image.open(out) as image:
            return np.asarray(image.convert('RGB'))

    return run


def test_picture(browse, capsys):
    picture = browse()
    out = capsys.readouterr().out
    assert 'source, as the detector gets it: mean' in out
    assert 'target, as the detector gets it: mean' in out
    # Boxes of the first class have the first colour; only the upper half,
    # the source, has boxes.
    blue = np.abs(picture.astype(int) - (31, 119, 180)).sum(-1) < 10
    half = len(picture) // 2
    assert blue[:half].sum() > 20 and blue[half:].sum() == 0
    assert (browse() == picture).all()
    assert (browse('--seed', '1') != picture).any()


def test_source_only(browse):
    picture = browse('--cfg-options', 'train_cfg.target_dataloader=None')
    assert picture.shape[0] < 450


@pytest.mark.parametrize('style', ['pytorch', 'caffe'])
def test_right_constants_give_the_image_back(style):
    """And wrong ones do not: the point of the right-hand pictures."""
    rgb = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    known = domains.PYTORCH if style == 'pytorch' else domains.CAFFE
    ordered = rgb if style == 'pytorch' else rgb[..., ::-1]
    model = Config(dict(data_preprocessor=dict(std=known['std'])))
    normal = (ordered - np.array(known['mean'])) / known['std']
    assert (domains.as_weights_read_it(normal, model) == rgb).all()
    swapped = normal[..., ::-1]
    assert (domains.as_weights_read_it(swapped, model) != rgb).any()


def test_a_fatal_error_in_the_data_ends_it(browse):
    with pytest.raises(SystemExit, match='annotations/no.json does not exist'):
        browse(
            '--cfg-options',
            'train_dataloader.dataset.ann_file=annotations/no.json',
        )


def test_the_caller_s_state_stays(browse):
    matplotlib.use('svg')
    state = np.random.get_state()[1].tolist(), torch.get_rng_state()
    browse()
    assert matplotlib.get_backend() == 'svg'
    assert np.random.get_state()[1].tolist() == state[0]
    assert torch.get_rng_state().equal(state[1])
