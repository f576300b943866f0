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


def test_floats_are_no_white_pictures(browse, tiny_config, tmp_path, command):
    """Photometric transforms give floats from 0 to 255."""
    plain = browse('--num', 1)
    config = tmp_path / 'float.py'
    config.write_text(
        f"_base_ = '{tiny_config}'\n"
        "step = dict(type='PhotoMetricDistortion', brightness_delta=0, "
        'contrast_range=(1, 1), saturation_range=(1, 1), hue_delta=0)\n'
        'pipeline = _base_.train_dataloader.dataset.pipeline\n'
        'train_dataloader = dict(dataset=dict('
        'pipeline=[*pipeline[:-1], step, pipeline[-1]]))\n'
    )
    out = tmp_path / 'float.png'
    command('browse_domains.py', config, '--out', out, '--num', 1)
    with Image.open(out) as image:
        changed = np.asarray(image.convert('RGB'))
    half = len(plain) // 2
    white = [(p[:half] == 255).all(-1).mean() for p in (plain, changed)]
    assert abs(white[0] - white[1]) < 0.02


@pytest.mark.parametrize(
    'pixel, shown',
    [
        (np.array([10, 20, 30], np.uint8), (30, 20, 10)),
        (np.array([9.6, 20.2, 300], np.float32), (255, 20, 10)),
        (np.array([257, 514, 65535], np.uint16), (255, 2, 1)),
        (np.array([7], np.uint8), (7, 7, 7)),
        (np.array([10, 20, 30, 255], np.uint8), (30, 20, 10)),
    ],
)
def test_as_picture(pixel, shown):
    picture = domains.as_picture(pixel[None, None])
    assert picture.dtype == np.uint8
    assert tuple(picture[0, 0].tolist()) == shown


@pytest.mark.parametrize('style', ['pytorch', 'caffe'])
def test_right_constants_give_the_image_back(style):
    """The right-hand pictures tell right constants from wrong ones."""
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
