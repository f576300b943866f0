"""`da_faster::NAME`, from a folder that is not the checkout."""

from pathlib import Path

import pytest
from mmengine.config import Config

from da_faster import package_configs
from da_faster.apis.config import load_config

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    'name',
    ['da_faster_city2foggy.py', 'blood_smears/da_faster_blood_smears.py'],
)
@pytest.mark.parametrize('read', [Config.fromfile, load_config])
def test_config_of_the_package(read, name):
    cfg = read(f'da_faster::{name}')
    assert cfg.filename == str(CONFIGS / name)
    assert cfg.model.type == 'DAFasterRCNN'


def test_base_of_the_package_has_no_scope_of_its_own(tmp_path):
    """If MMEngine gave the base a scope, types would not be found."""
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'da_faster::da_faster_demo.py'\n"
        'hooks = _base_.default_hooks\n'
    )
    cfg = Config.fromfile('mine.py')
    theirs = Config.fromfile(CONFIGS / 'da_faster_demo.py')
    assert cfg.model == theirs.model
    assert cfg.hooks == theirs.default_hooks


def test_other_names_stay_as_they_are(tmp_path):
    (tmp_path / 'mine.py').write_text('a = 1')
    assert Config.fromfile('mine.py').a == 1
    assert Config.fromfile(tmp_path / 'mine.py').a == 1
    (tmp_path / 'on_mmdet.py').write_text(
        "_base_ = 'mmdet::_base_/default_runtime.py'\n"
    )
    assert Config.fromfile('on_mmdet.py').default_scope == 'mmdet'


def test_wheel_carries_its_configs(tmp_path, monkeypatch):
    (tmp_path / '.mim/configs').mkdir(parents=True)
    (tmp_path / '.mim/configs/mine.py').write_text('a = 1')
    monkeypatch.setattr(package_configs, 'PACKAGE', tmp_path)
    assert Config.fromfile('da_faster::mine.py').a == 1
