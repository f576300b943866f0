"""A Config or its file, for a training and a test."""

import pytest
from mmengine.config import Config

from da_faster.apis import load_config
from da_faster.apis.runner import Runner
from da_faster.errors import UserError


def test_a_config_is_taken_as_its_file_is(tiny_config):
    cfg = Config.fromfile(tiny_config)
    options = {'train_cfg.max_iters': 9}
    ours = load_config(cfg, options, work_dir='run')
    theirs = load_config(str(tiny_config), options, work_dir='run')
    assert ours.to_dict() == theirs.to_dict()
    assert cfg.train_cfg.max_iters == 6  # it is not changed
    assert load_config(cfg).work_dir == f'./work_dirs/{tiny_config.stem}'


def test_a_config_without_a_file_needs_a_work_dir():
    cfg = Config(dict(model=dict(type='RetinaNet')))
    with pytest.raises(UserError, match='give it a work_dir'):
        load_config(cfg)
    assert load_config(cfg, work_dir='run').work_dir == 'run'


def test_an_option_without_effect_on_a_config():
    cfg = Config(dict(model=dict(type='RetinaNet')))
    with pytest.raises(UserError, match='max_iters has no effect: the config'):
        load_config(cfg, dict(max_iters=3), work_dir='run')


@pytest.mark.parametrize('name', ['x.py', None])
def test_a_runner_copies_the_config_of_a_file_alone(name, tmp_path):
    (tmp_path / 'x.py').write_text('a = 1')
    runner = Runner.__new__(Runner)
    runner.cfg = Config(dict(a=1), filename=name and str(tmp_path / name))
    runner._work_dir = str(tmp_path / 'run')
    (tmp_path / 'run').mkdir()
    runner.dump_config()
    copied = [path.name for path in (tmp_path / 'run').iterdir()]
    assert copied == [name] * bool(name)
