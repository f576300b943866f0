"""Every config in configs/ loads, builds and differs from its siblings in
nothing but what its name says."""
import ast
import re
from functools import cache
from pathlib import Path

import pytest
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

CONFIGS = {p.stem: p for p in Path(__file__).parents[1].glob('configs/*.py')}
ADAPTED = [name for name in CONFIGS if name.startswith('da_faster_')]
BASELINES = sorted(set(CONFIGS) - set(ADAPTED))
DOMAIN_KEYS = ('domain_neck', 'instance_domain_head', 'loss_consistency')


@cache
def load(name: str) -> dict:
    return Config.fromfile(CONFIGS[name]).to_dict()


def without(config: dict, *keys: str) -> dict:
    return {k: v for k, v in config.items() if k not in keys}


def adapted_sibling(name: str) -> str:
    sibling, = [
        a for a in ADAPTED if name.endswith(a.removeprefix('da_faster'))
    ]
    return sibling


@pytest.mark.parametrize('name', CONFIGS)
def test_config_is_short_and_its_model_builds(name):
    assert len(CONFIGS[name].read_text().splitlines()) <= 25
    init_default_scope('mmdet')
    config = load(name)
    model = MODELS.build(Config.fromfile(CONFIGS[name]).model)
    classes = config['train_dataloader']['dataset']['metainfo']['classes']
    assert model.roi_head.bbox_head.num_classes == len(classes)
    for key in DOMAIN_KEYS:
        assert (getattr(model, key) is None) == (name in BASELINES)


@pytest.mark.parametrize('name', ADAPTED)
def test_target_is_trained_on_without_labels(name):
    config = load(name)
    source = config['train_dataloader']['dataset']
    target = config['train_cfg']['target_dataloader']['dataset']
    assert config['train_cfg']['type'] == 'DALoop'
    assert target['type'] == 'TargetDataset'
    steps = [step['type'] for step in target['pipeline']]
    assert 'LoadAnnotations' not in steps
    # Both domains are transformed alike, or the domains differ in that.
    assert target['pipeline'] == [
        step for step in source['pipeline']
        if step['type'] != 'LoadAnnotations'
    ]


@pytest.mark.parametrize('name', CONFIGS)
def test_checkpoints_are_not_chosen_by_the_test_set(name):
    config = load(name)
    assert 'save_best' not in config['default_hooks']['checkpoint']
    files = [
        config[loader]['dataset']['ann_file']
        for loader in ('train_dataloader', 'test_dataloader')
    ]
    assert files[0] != files[1]


@pytest.mark.parametrize('name', BASELINES)
def test_baseline_shares_all_but_the_adaptation(name):
    baseline, adapted = load(name), load(adapted_sibling(name))
    changed = ('model', 'train_cfg', 'train_dataloader')
    assert without(baseline, *changed) == without(adapted, *changed)
    assert without(baseline['model'], *DOMAIN_KEYS) == without(
        adapted['model'], *DOMAIN_KEYS)
    assert baseline['train_cfg']['type'] == 'IterBasedTrainLoop'
    assert without(baseline['train_cfg'], 'type') == without(
        adapted['train_cfg'], 'type', 'target_dataloader')

    ours, theirs = baseline['train_dataloader'], adapted['train_dataloader']
    assert without(ours, 'dataset') == without(theirs, 'dataset')
    ours, theirs = ours['dataset'], theirs['dataset']
    if name.startswith('oracle'):
        images = ('data_root', 'data_prefix')
        target = adapted['train_cfg']['target_dataloader']['dataset']
        assert [ours[k] for k in images] == [target[k] for k in images]
        assert without(ours, 'ann_file', *images) == without(
            theirs, 'ann_file', *images)
    else:
        # A name says more than the dataset only where one transform is added.
        plain = name == adapted_sibling(name).replace('da_faster',
                                                      'source_only')
        assert without(ours, 'pipeline') == without(theirs, 'pipeline')
        extra = [t for t in ours['pipeline'] if t not in theirs['pipeline']]
        assert len(extra) == (0 if plain else 1)
        assert [t for t in ours['pipeline']
                if t not in extra] == theirs['pipeline']


def rows_of_the_reference_table() -> list:
    text = (Path(__file__).parents[1] / 'docs/reference.md').read_text()
    rows = re.findall(r'^\| .* \| `(.*)` \| `([\w.]+)` \|$', text, re.M)
    assert len(rows) > 60
    return rows


@pytest.mark.parametrize('ours, key', rows_of_the_reference_table())
def test_docs_state_the_config_s_values(ours, key):
    value = load('da_faster_city2foggy')
    for part in key.split('.'):
        if isinstance(value, (list, tuple)):
            value = value[int(part)]
        else:
            value = value.get(part)
    assert value == ast.literal_eval(ours)
