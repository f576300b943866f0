"""Configs of MMDetection in all their shapes."""

import pytest

from da_faster.detectors import Detector
from da_faster.errors import UserError


@pytest.mark.parametrize(
    'name',
    [
        'gn+ws/faster-rcnn_r50_fpn_gn-ws-all_1x_coco',
        'legacy_1.x/retinanet_r50_fpn_1x_coco_v1.py',
        'retinanet/retinanet_r50_fpn_1x_coco',
    ],
)
def test_names_of_every_folder(name):
    cfg = Detector.read(f'mmdet::{name}').config
    assert cfg.model.bbox_head if 'retina' in name else cfg.model.roi_head


def test_a_package_that_is_not_installed(tmp_path):
    config = tmp_path / 'own.py'
    config.write_text("custom_imports = dict(imports=['no_such_package'])")
    with pytest.raises(UserError, match='own.py needs a package'):
        Detector.read(str(config))


def test_a_preprocessor_beside_the_model(tmp_path):
    """Runner gives it to the model."""
    config = tmp_path / 'own.py'
    config.write_text(
        "model = dict(type='RetinaNet')\n"
        "data_preprocessor = dict(type='DetDataPreprocessor', mean=[1])"
    )
    detector = Detector.read(str(config))
    assert detector.config.model.data_preprocessor.mean == [1]


def test_no_names_of_classes():
    """V3Det's data set takes them from its file."""
    detector = Detector.read(
        'mmdet::v3det/cascade_rcnn_r50_fpn_8x4_sample1e-3_mstrain_v3det_2x'
    )
    with pytest.raises(UserError, match='names no classes'):
        _ = detector.classes


def test_a_model_that_cannot_be_built(tiny_config, tmp_path):
    (tmp_path / 'x.pth').touch()
    detector = Detector.read(str(tiny_config), str(tmp_path / 'x.pth'))
    detector.config.model.backbone.deapth = 50
    with pytest.raises(UserError, match="cannot be built.*'deapth'"):
        detector.open()


def test_no_default_scope(tiny_config, tmp_path):
    detector = Detector.read(str(tiny_config), str(tmp_path / 'x.pth'))
    detector.config.default_scope = None
    with pytest.raises(UserError, match='does not exist'):
        detector.open()
