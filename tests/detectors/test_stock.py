"""A detector of stock MMDetection, and its files."""

import inspect
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.apis import inference_detector, init_detector
from mmdet.registry import HOOKS, MODELS, OPTIMIZERS
from mmengine.config import Config
from mmengine.hooks import EMAHook, Hook
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from da_faster.config_tree import types_in
from da_faster.detectors.stock_config import StockConfig, custom_classes
from da_faster.errors import UserError

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
CONFIG = CONFIGS / 'blood_smears/da_faster_plain_blood_smears.py'
# Scores of an untrained detector are low; keep its detections.
OPTIONS = ('--cfg-options', 'model.test_cfg.rcnn.score_thr=0.')


def command(*args) -> None:
    """Runs the command in this process."""
    path = ROOT / 'tools/model_converters/to_stock.py'
    runpy.run_path(str(path))['main'](list(map(str, args)))


WITHOUT_DA_FASTER = """
import sys


class Blocker:

    def find_spec(self, name, *_):
        if name.split('.')[0] == 'da_faster':
            raise ImportError('da_faster is not installed')


sys.meta_path.insert(0, Blocker())
import numpy as np
import torch
from mmdet.apis import DetInferencer, inference_detector, init_detector

config, weights, image, out = sys.argv[1:]
model = init_detector(config, weights, device='cpu')
found = inference_detector(model, np.load(image)).pred_instances
# Without a config it takes the one in the weights.
shown = DetInferencer(weights=weights, device='cpu')(
    np.load(image), no_save_vis=True, pred_score_thr=0.)['predictions'][0]
torch.save(
    dict(
        found=found.to_dict(),
        shown=shown,
        classes=model.dataset_meta['classes'],
        type=type(model).__name__), out)
assert 'da_faster' not in sys.modules
"""


@pytest.fixture(scope='module')
def averaged(tmp_path_factory):
    """A checkpoint as the runner saves it with EMAHook; the averaged state."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(CONFIG).model)
    model.init_weights()
    hook = EMAHook()
    hook.before_run(SimpleNamespace(model=model))
    with torch.no_grad():
        for parameter in hook.ema_model.parameters():
            parameter.mul_(1.1)
    average = {
        name.removeprefix('module.'): x.clone()
        for name, x in hook.ema_model.state_dict().items()
    }
    hub = MessageHub('test_to_stock')
    hub.update_scalar('train/loss', 1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    checkpoint = dict(
        meta=dict(
            iter=800,
            cfg=Config.fromfile(CONFIG).pretty_text,
            dataset_meta=dict(
                classes=('RBC', 'WBC'), palette=[(220, 20, 60), (0, 90, 220)]
            ),
        ),
        state_dict={name: x.clone() for name, x in model.state_dict().items()},
        optimizer=optimizer.state_dict(),
        message_hub=hub.state_dict(),
    )
    hook.before_save_checkpoint(None, checkpoint)
    path = tmp_path_factory.mktemp('averaged') / 'iter_800.pth'
    torch.save(checkpoint, path)
    return path, average


@pytest.fixture(scope='module')
def stock(averaged, tmp_path_factory):
    """Folder of the stock config and weights."""
    out = tmp_path_factory.mktemp('to_stock') / 'new'
    command(CONFIG, averaged[0], out, *OPTIONS)
    return out


@pytest.mark.slow
def test_same_detections_without_da_faster(stock, averaged, tmp_path):
    names = [f'da_faster_plain_blood_smears.{end}' for end in ('pth', 'py')]
    assert sorted(path.name for path in stock.iterdir()) == names
    image = np.random.default_rng(0).integers(
        0, 256, (200, 300, 3), dtype=np.uint8
    )
    np.save(tmp_path / 'image.npy', image)
    script = tmp_path / 'script.py'
    script.write_text(WITHOUT_DA_FASTER)
    subprocess.run(
        [
            sys.executable,
            script,
            stock / names[1],
            stock / names[0],
            tmp_path / 'image.npy',
            tmp_path / 'out.pt',
        ],
        check=True,
        cwd=tmp_path,
    )
    theirs = torch.load(tmp_path / 'out.pt', weights_only=False)
    assert theirs['type'] == 'FasterRCNN'
    assert tuple(theirs['classes']) == ('RBC', 'WBC')

    model = init_detector(
        str(CONFIG),
        str(averaged[0]),
        device='cpu',
        cfg_options={'model.test_cfg.rcnn.score_thr': 0.0},
    )
    assert type(model).__name__ == 'DAFasterRCNN'
    ours = inference_detector(model, image).pred_instances
    assert len(ours) > 50
    for key in ('bboxes', 'scores', 'labels'):
        assert theirs['found'][key].equal(ours[key])
        assert theirs['shown'][key] == ours[key].tolist()


@pytest.mark.slow
def test_weights_are_those_that_test_py_tests(stock, averaged):
    path, average = averaged
    result = torch.load(
        stock / 'da_faster_plain_blood_smears.pth', weights_only=True
    )
    assert set(result) == {'state_dict', 'meta'}
    assert result['meta']['iter'] == 800
    assert 'da_faster' not in result['meta']['cfg']
    state = result['state_dict']
    assert all(x.equal(average[name]) for name, x in state.items())
    assert not [name for name in state if 'domain' in name]

    # What the runner does in testing where the config has the hook.
    checkpoint = torch.load(path, weights_only=False)
    model = MODELS.build(Config.fromfile(CONFIG).model)
    hook, runner = EMAHook(), SimpleNamespace(model=model, _resume=False)
    hook.before_run(runner)
    hook.after_load_checkpoint(runner, checkpoint)
    model.load_state_dict(checkpoint['state_dict'])
    hook.before_test_epoch(runner)
    tested = model.state_dict()
    assert all(x.equal(tested[name]) for name, x in state.items())


@pytest.mark.slow
@pytest.mark.parametrize(
    'name',
    [
        'blood_smears/da_faster_plain_blood_smears',
        'city2foggy/da_faster_city2foggy_maskrcnn_benchmark',
    ],
)
def test_stock_config(name):
    init_default_scope('mmdet')
    path = CONFIGS / f'{name}.py'
    original = Config.fromfile(path)
    cfg = StockConfig(Config.fromfile(path)).cfg
    text = cfg.pretty_text
    for name in (
        'da_faster',
        'DomainDataPreprocessor',
        'DARoIHead',
        'DALoop',
        'domain_neck',
        'instance_domain_head',
        'loss_consistency',
        'target_dataloader',
        'custom_imports',
    ):
        assert name not in text
    assert type(MODELS.build(cfg.model)).__name__ == 'FasterRCNN'
    assert cfg.model.roi_head.type == 'StandardRoIHead'
    assert cfg.model.data_preprocessor == dict(
        original.model.data_preprocessor, type='DetDataPreprocessor'
    )
    assert cfg.train_cfg == dict(
        type='IterBasedTrainLoop',
        max_iters=original.train_cfg.max_iters,
        val_interval=original.train_cfg.val_interval,
    )
    hooks = dict(original.default_hooks)
    for own in (
        'fitting',
        'missed_validation',
        'non_finite',
        'preemption',
        'resumed_schedule',
    ):
        del hooks[own]
    hooks['checkpoint'] = dict(hooks['checkpoint'], type='CheckpointHook')
    assert cfg.default_hooks == hooks
    assert cfg.log_processor == dict(
        original.log_processor, type='LogProcessor'
    )
    changed = (
        'model',
        'train_cfg',
        'custom_imports',
        'custom_hooks',
        'default_hooks',
        'log_processor',
    )
    # Variables that name a class of da_faster go, all other keys stay.
    variables = set(original).difference(
        changed, inspect.signature(Runner).parameters
    )
    spare = {
        key
        for key in variables
        if set(types_in(original[key])).intersection(custom_classes())
    }
    assert spare and not spare & set(cfg)
    for key in set(original).difference(changed, spare):
        assert cfg[key] == original[key]


class OwnHook(Hook):
    def __init__(self, power):
        self.power = power


class OwnEMAHook(EMAHook):
    def __init__(self, own=1, **kwargs):
        super().__init__(**kwargs)


def test_hooks(monkeypatch):
    for cls in (OwnHook, OwnEMAHook):
        monkeypatch.setitem(HOOKS.module_dict, cls.__name__, cls)
    hooks = [
        dict(type='OwnHook', power=2),
        dict(type='OwnEMAHook', own=3, momentum=0.1),
        dict(type='EMAHook'),
    ]
    cfg = Config(
        dict(
            model=dict(type='FasterRCNN'),
            default_hooks=dict(own=hooks[0], timer=dict(type='IterTimerHook')),
            custom_hooks=hooks,
        )
    )
    stock = StockConfig(cfg)
    assert cfg.custom_hooks == [
        dict(type='EMAHook', momentum=0.1),
        dict(type='EMAHook'),
    ]
    assert cfg.default_hooks == dict(timer=dict(type='IterTimerHook'))
    assert stock.changes == ['OwnHook left out', 'OwnEMAHook -> EMAHook']
    assert stock.dropped_parts == set()


def test_optimizers_that_mmengine_registers_are_stock(monkeypatch):
    """Lion, of a package of its own, is one of these."""
    monkeypatch.setitem(OPTIMIZERS.module_dict, 'Lion', OwnEMAHook)
    assert 'Lion' in custom_classes()
    known = 'da_faster.detectors.stock_config.KNOWN_OPTIMIZERS'
    monkeypatch.setattr(known, {'Lion'})
    assert 'Lion' not in custom_classes()


class OwnBackbone(torch.nn.Module):
    pass


def test_part_without_a_stock_parent(monkeypatch):
    monkeypatch.setitem(MODELS.module_dict, 'OwnBackbone', OwnBackbone)
    cfg = Config(
        dict(model=dict(type='FasterRCNN', backbone=dict(type='OwnBackbone')))
    )
    with pytest.raises(UserError, match='^OwnBackbone, a part of the model'):
        StockConfig(cfg)


@pytest.mark.slow
def test_checkpoint_that_does_not_fit(averaged, tmp_path):
    checkpoint = torch.load(averaged[0], weights_only=False)
    state = checkpoint['state_dict']
    state['extra.weight'] = torch.zeros(1)
    del state['rpn_head.rpn_cls.bias']
    state['rpn_head.rpn_reg.bias'] = torch.zeros(3)
    path, out = tmp_path / 'x.pth', tmp_path / 'out' / 'x.pth'
    torch.save(checkpoint, path)
    with pytest.raises(SystemExit) as error:
        command(CONFIG, path, out)
    assert str(error.value) == (
        f'{path} does not fit the config; 1 missing: rpn_head.rpn_cls.bias; '
        '1 unknown: extra.weight; 1 of another shape: rpn_head.rpn_reg.bias.'
    )
    assert not out.parent.exists()


@pytest.mark.parametrize('end', ['pth', 'py'])
def test_existing_output_is_kept(tmp_path, end):
    existing = tmp_path / f'out.{end}'
    existing.write_text('precious')
    with pytest.raises(SystemExit, match=f'out.{end} exists: give --force'):
        command(CONFIG, 'x.pth', tmp_path / 'out.pth')
    assert existing.read_text() == 'precious'


@pytest.mark.parametrize(
    'content, part',
    [
        (dict(state_dict=[1]), 'list as state_dict'),
        (dict(state_dict=None), 'NoneType as state_dict'),
        (dict(state_dict=torch.zeros(2)), 'Tensor as state_dict'),
        (dict(state_dict={}, meta='x'), 'str as meta'),
        (dict(state_dict={}, meta=dict(dataset_meta=[1])), 'list as dataset_'),
    ],
)
def test_a_checkpoint_of_another_layout(tmp_path, content, part):
    path = tmp_path / 'x.pth'
    torch.save(content, path)
    with pytest.raises(SystemExit) as error:
        command(CONFIG, path, tmp_path / 'out.pth')
    assert str(error.value).startswith(f'{path} has a {part}')
    assert '\n' not in str(error.value)
