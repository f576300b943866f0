"""A detector that is read once."""

from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config

from da_faster.detectors import Detector, convert_to_stock
from da_faster.errors import UserError


@pytest.fixture(scope='module')
def weights(tiny_config, tmp_path_factory) -> Path:
    """Untrained weights of the tiny config, without names of classes."""
    register_all_modules()
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(tiny_config).model)
    path = tmp_path_factory.mktemp('weights') / 'tiny.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


def test_the_config_that_is_given_stays(tiny_config):
    cfg = Config.fromfile(tiny_config)
    before = cfg.to_dict()
    detector = Detector(cfg)
    assert detector.stock.model.type == 'FasterRCNN'
    assert detector.config.model.type == 'DAFasterRCNN'
    assert cfg.to_dict() == before
    assert detector.stock is detector.stock


def test_a_preprocessor_of_the_detector_stays(tiny_config):
    cfg = Config.fromfile(tiny_config)
    cfg.data_preprocessor = dict(type='DetDataPreprocessor', mean=[9])
    own = cfg.model.data_preprocessor
    assert Detector(cfg).config.model.data_preprocessor == own


def test_in_memory_it_is_what_its_files_are(tiny_config, weights, tmp_path):
    detector = Detector.read(str(tiny_config), weights)
    opened = detector.open()
    out = tmp_path / 'out'
    written = convert_to_stock(tiny_config, weights, out)
    assert written.tensors == len(opened.state_dict())
    again = Detector.read(str(written.config), written.checkpoint).open()
    assert again.dataset_meta == opened.dataset_meta == dict(classes=('box',))
    state = again.state_dict()
    for name, value in opened.state_dict().items():
        assert torch.equal(value, state[name])
    assert not opened.training
    # What MMDetection writes into a config reaches no other detector.
    opened.cfg.test_dataloader.dataset.pipeline[0].type = 'Other'
    assert detector.stock.test_dataloader.dataset.pipeline[0].type != 'Other'


def test_weights_of_other_classes(tiny_config, weights):
    detector = Detector.read(str(tiny_config), weights)
    model = torch.nn.Module()
    model.dataset_meta = dict(classes='nut')
    with pytest.raises(
        UserError, match=r'trained on the classes nut, .* box:'
    ):
        detector.try_out(model, 'a.png')


def test_a_student_of_no_teacher(tiny_config, weights):
    with pytest.raises(UserError, match='has no student'):
        Detector.read(str(tiny_config), weights).as_stock(student=True)


def test_a_hash_is_of_a_file(tiny_config, weights):
    assert len(Detector.read(str(tiny_config), weights).sha256) == 64
    assert Detector.read(str(tiny_config), 'https://a/x.pth').sha256 is None
