"""MMDetection's detectors from their own config to adapted stock weights."""

import shutil

import pytest
import torch
from mmdet.apis import DetInferencer
from mmengine.config import Config

from da_faster.adaptation import adapt
from da_faster.apis import train

from ..small_detectors import CONFIGS

pytestmark = pytest.mark.slow
# An untrained detector has low scores.
QUICK = {
    'model.pseudo_labels.threshold': 0.005,
    'model.pseudo_labels.ignore_above': None,
    'default_hooks.checkpoint.max_keep_ckpts': -1,
    'default_hooks.logger.interval': 1,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
}


def weights(path) -> dict:
    return torch.load(path, weights_only=False)['state_dict']


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(value, other[name]) for name, value in one.items()
    )


@pytest.fixture(scope='module')
def target(tiny_data, tmp_path_factory):
    """Two images."""
    folder = tmp_path_factory.mktemp('target')
    for image in sorted((tiny_data / 'target').glob('*.png'))[:2]:
        shutil.copy(image, folder)
    return folder


@pytest.mark.parametrize('source', [False, True], ids=['free', 'source'])
@pytest.mark.parametrize('name', CONFIGS)
def test_adapted_resumed_exported(name, source, user_config, target, tmp_path):
    config, checkpoint = user_config(name)
    start = weights(checkpoint)
    run = tmp_path / 'run'
    options = {**QUICK, 'experiment_name': f'{name}-{source}-1'}
    if source:
        loader = 'train_cfg.target_dataloader'
        options[f'{loader}.num_workers'] = 0
        options[f'{loader}.persistent_workers'] = False
    done = adapt(
        str(config),
        str(checkpoint),
        str(target),
        work_dir=str(run),
        source=source,
        iters=2,
        options=options,
    )
    assert same(weights(checkpoint), start)
    state = weights(run / 'iter_2.pth')
    assert any(
        not torch.equal(state[f'student.{k}'], x) for k, x in start.items()
    )
    exported = weights(done.checkpoint)
    assert exported.keys() == start.keys()
    blend = 0.5 if source else 0.25
    wanted = {
        k: (1 - blend) * x + blend * state[f'teacher.{k}']
        for k, x in start.items()
    }
    assert all(
        torch.allclose(x, wanted[k], atol=1e-6)
        for k, x in exported.items()
        if x.is_floating_point()
    )
    stock = Config.fromfile(done.config)
    assert stock.model.type == name
    assert 'da_faster' not in stock.pretty_text
    inferencer = DetInferencer(
        str(done.config), str(done.checkpoint), device='cpu'
    )
    image = str(next(target.glob('*.png')))
    assert inferencer(image, no_save_vis=True)['predictions'][0]['bboxes']

    again = tmp_path / 'again'
    again.mkdir()
    for file in ('adapt.py', 'iter_1.pth', 'iter_1.pth.sha256'):
        shutil.copy(run / file, again)
    (again / 'last_checkpoint').write_text(str(again / 'iter_1.pth'))
    train(
        str(again / 'adapt.py'),
        work_dir=str(again),
        resume='auto',
        data_check=False,
        options={'experiment_name': f'{name}-{source}-2'},
    )
    resumed = weights(again / 'iter_2.pth')
    # RTMDet's CachedMosaic and CachedMixUp keep images of earlier samples.
    assert same(resumed, state) != (source and name == 'RTMDet')
