"""`da_faster::NAME`, from a folder that is not the checkout."""

import argparse
import os.path as osp
from pathlib import Path

import pytest
from mmengine.config import Config

from da_faster import package_configs
from da_faster.apis.config import load_config
from da_faster.errors import UserError
from da_faster.package_configs import path_as_option, read_config
from da_faster_options import KeyValue

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
    """Where MMEngine gives it one, nothing that it names is found."""
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


BASE = """
length = 8
images = dict(folder='a', names=['b', 'c'])
train_cfg = dict(max_iters=length)
unused = 1
"""
LEAF = """
_base_ = './base.py'
length = 20
twice = length
twice *= 2
if twice:
    param_scheduler = [dict(end=twice)]
train_dataloader = dict(dataset=dict(folder=_base_.images.folder))
unread = [length for length in (1, 2)]
"""


@pytest.fixture
def leaf(tmp_path):
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'leaf.py').write_text(LEAF)
    return 'leaf.py'


def test_options_for_variables_that_the_config_computes_with(leaf):
    cfg = read_config(leaf, {'length': 3, 'images.folder': 'x'})
    assert cfg.train_cfg.max_iters == 3
    assert cfg.param_scheduler[0].end == 6
    assert cfg.train_dataloader.dataset.folder == 'x'
    assert cfg.images == dict(folder='x', names=['b', 'c'])
    assert read_config(leaf, {'twice': 5}).param_scheduler[0].end == 5
    # Settings as ever, and after the variables.
    cfg = read_config(leaf, {'length': 3, 'train_cfg.max_iters': 9})
    assert cfg.train_cfg.max_iters == 9
    # What was read before is as it was.
    assert read_config(leaf).param_scheduler[0].end == 40


@pytest.mark.parametrize(
    'options, sentence',
    [
        (
            {'unused': 5},
            'nothing in leaf.py follows unused; set what it stands for.',
        ),
        (
            {'lenght': 5},
            'no effect: leaf.py has no lenght; did you mean length?',
        ),
        (
            {'train_datalader.dataset.folder': 5},
            'did you mean train_dataloader.dataset.folder?',
        ),
        ({'zzzzz.a': 5}, 'leaf.py has no zzzzz; check its name.'),
        (
            {'folder': 5},
            'has no folder; set train_dataloader.dataset.folder.',
        ),
        (
            {'images.other': 'x'},
            'images.other has no effect: nothing in leaf.py follows images',
        ),
    ],
)
def test_options_without_effect(leaf, options, sentence):
    with pytest.raises(UserError) as error:
        read_config(leaf, options)
    assert str(error.value).startswith('--cfg-options ')
    assert sentence in str(error.value)
    # Saying again what it has is no mistake.
    assert read_config(leaf, {'unused': 1, 'length': 20}).unused == 1


def test_the_saved_config_of_a_run_names_the_keys(leaf):
    """Its variables are results: nothing is computed from them any more."""
    read_config(leaf).dump('saved.py')
    with pytest.raises(UserError, match='; set train_dataloader.dataset.fo'):
        read_config('saved.py', {'images.folder': 'x'})


def test_an_option_for_what_is_not_there(leaf):
    with pytest.raises(UserError, match='has nothing of that kind to overr'):
        read_config(leaf, {'param_scheduler.7.end': 1})

    (Path('of_numbers.py')).write_text('ns = [1, 2]\ntrain_cfg = dict(n=ns)')
    with pytest.raises(UserError, match='has nothing of that kind to overr'):
        read_config('of_numbers.py', {'ns.0': 3})


def test_the_data_preprocessor_that_counts_is_that_of_the_model():
    option = {'data_preprocessor.std': [9, 9, 9]}
    teacher = 'da_faster::custom/mean_teacher_custom.py'
    read_config(teacher).dump('saved.py')
    for config, key in (
        ('saved.py', 'model.detector.data_preprocessor.std'),
        (teacher, 'model.detector.data_preprocessor.std'),
        ('da_faster::custom/da_faster_custom.py', 'model.data_prep'),
    ):
        with pytest.raises(UserError, match=key):
            read_config(config, option)
    # Without one in the model, MMEngine takes it.
    Path('bare.py').write_text("model = dict(type='FasterRCNN')")
    read_config('bare.py', option)


def test_the_launcher_as_an_option():
    cfg = load_config('da_faster::da_faster_demo.py', {'launcher': 'none'})
    assert cfg.launcher == 'none'
    with pytest.raises(UserError, match='--launcher slurm needs an accel'):
        load_config('da_faster::da_faster_demo.py', {'launcher': 'slurm'})


def test_a_trial_of_few_iterations():
    """All that depends on the length of the training follows."""
    for name in ('da_faster_demo.py', 'demo/mean_teacher_demo.py'):
        cfg = read_config(f'da_faster::{name}', {'max_iters': 10})
        assert cfg.train_cfg.max_iters == cfg.train_cfg.val_interval == 10
        warm_up, cosine = cfg.param_scheduler
        assert (warm_up.end, cosine.begin) == (5, 5)
        assert (cosine.end, cosine.T_max) == (10, 5)
    whole = read_config('da_faster::demo/mean_teacher_demo.py')
    assert whole.param_scheduler[0].end == whole.param_scheduler[1].begin == 50
    assert whole.param_scheduler[1].T_max == 3050


def test_the_lines_at_the_top_of_the_template():
    cfg = read_config(
        'da_faster::custom/mean_teacher_custom.py',
        {
            'batch_size': 3,
            'source_labels': 'my.json',
            'classes': ['a', 'b'],
            'target_images': 'mine/',
            'test_labels': 'test.json',
        },
    )
    target = cfg.train_cfg.target_dataloader
    assert cfg.train_dataloader.batch_size == target.batch_size == 3
    assert cfg.train_dataloader.dataset.ann_file == 'my.json'
    assert cfg.model.detector.roi_head.bbox_head.num_classes == 2
    assert target.dataset.data_prefix.img == 'mine/'
    style = [s for s in cfg.style_pipeline if s.type == 'TargetStyle']
    assert style[0].dataset.data_prefix.img == 'mine/'
    assert cfg.test_evaluator.ann_file == 'test.json'


def test_loaders_without_workers():
    """persistent_workers=True, as the template has it, needs some."""
    name = 'da_faster::custom/da_faster_custom.py'
    target = 'train_cfg.target_dataloader'
    cfg = read_config(
        name,
        {
            'train_dataloader.num_workers': 0,
            f'{target}.num_workers': 0,
            f'{target}.prefetch_factor': 4,
        },
    )
    for loader in (cfg.train_dataloader, cfg.train_cfg.target_dataloader):
        assert not {'persistent_workers', 'prefetch_factor'} & set(loader)
    assert read_config(name).train_dataloader.persistent_workers


def test_a_path_arrives_by_an_option(tmp_path, monkeypatch):
    """As it is, or as the way from here."""

    def arrives(path: str) -> bool:
        parser = argparse.ArgumentParser()
        parser.add_argument('--cfg-options', nargs='+', action=KeyValue)
        given = ['--cfg-options', f'a.b={path_as_option(path)}']
        (found,) = parser.parse_args(given).cfg_options.values()
        return osp.realpath(found) == osp.realpath(path)

    here = tmp_path / 'old,runs'
    here.mkdir()
    monkeypatch.chdir(here)
    assert path_as_option(f'{tmp_path}/a') == f'{tmp_path}/a'
    assert path_as_option(f'{here}/runs/a') == 'runs/a'
    for name in ('a', 'a b', 'a, b', "it's a", '[a] b', '"a" b'):
        assert arrives(f'{tmp_path}/{name}')
        assert arrives(f'{here}/{name}')
    for name in ('a,b', 'a(,b', 'a(b,c)'):
        with pytest.raises(UserError, match='give the folder another name'):
            path_as_option(f'{here}/{name}')
