"""Config files read, with options."""

import argparse
import os.path as osp
from pathlib import Path

import pytest

from da_faster.apis.config import load_config
from da_faster.config_files import path_as_option, read_config
from da_faster.errors import UserError
from da_faster_options import KeyValue


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


BASE = """
length = 200
images = dict(folder='a', names=['b', 'c'])
train_cfg = dict(max_iters=length)
unused = 1
"""
LEAF = """
_base_ = './base.py'
param_scheduler = [dict(end=_base_.length)]
train_dataloader = dict(dataset=dict(folder=_base_.images.folder))
"""


@pytest.fixture
def leaf(tmp_path):
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'leaf.py').write_text(LEAF)
    return 'leaf.py'


def test_options_for_keys(leaf):
    options = {'train_cfg.max_iters': 9, 'param_scheduler.0.end': 8}
    cfg = read_config(leaf, options)
    assert cfg.train_cfg.max_iters == 9
    assert cfg.param_scheduler[0].end == 8
    # What was read before is as it was.
    assert read_config(leaf).param_scheduler[0].end == 200


@pytest.mark.parametrize(
    'options, sentence',
    [
        (
            {'length': 5},
            (
                'leaf.py has used its variable length by then; set '
                'train_cfg.max_iters, param_scheduler.0.end.'
            ),
        ),
        (
            {'unused': 5},
            'its variable unused by then; set what is computed from it.',
        ),
        (
            {'images.folder': 'x'},
            'its variable images by then; set train_dataloader.dataset.folder',
        ),
        ({'max_iters': 5}, 'leaf.py has no max_iters; set train_cfg.max_iter'),
        (
            {'train_datalader.dataset.folder': 5},
            'did you mean train_dataloader.dataset.folder?',
        ),
        ({'zzzzz.a': 5}, 'leaf.py has no zzzzz; check its name.'),
        (
            {'folder': 5},
            'has no folder; set train_dataloader.dataset.folder.',
        ),
        ({'images.other': 'x'}, 'images.other has no effect: leaf.py has'),
        ({'train_cfg.max_iters': 9, 'length': 5}, 'length has no effect'),
    ],
)
def test_options_without_effect(leaf, options, sentence):
    with pytest.raises(UserError) as error:
        read_config(leaf, options)
    assert str(error.value).startswith('--cfg-options ')
    assert sentence in str(error.value)


def test_an_option_for_what_is_not_there(leaf):
    with pytest.raises(UserError, match='has nothing of that kind to overr'):
        read_config(leaf, {'param_scheduler.7.end': 1})

    (Path('of_numbers.py')).write_text('train_cfg = dict(n=[1, 2])')
    with pytest.raises(UserError, match='has nothing of that kind to overr'):
        read_config('of_numbers.py', {'train_cfg.n.0': 3})
    with pytest.raises(UserError, match='log_to: of_numbers.py has nothing'):
        read_config('of_numbers.py', {'log_to': 'TensorboardVisBackend'})


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


def test_loaders_without_workers():
    """persistent_workers=True of the template needs workers."""
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
    """An option passes a path as it is, or as a relative one."""

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
