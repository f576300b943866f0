"""The whole configs in the docs build, and the keys that they name exist.

A block of Python is a whole config where its first line names a file.
"""

import inspect
import re
from functools import cache
from pathlib import Path

import pytest
import torch
from mmdet.registry import DATASETS, HOOKS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from da_faster.config_tree import box_head, unwrapped_datasets

DOCS = Path(__file__).parents[1] / 'docs'
WHOLE = re.compile(r'^```python\n# (\w+\.py)\n(.*?)^```$', re.M | re.S)
BLOCKS = {
    name: text
    for page in ('configs.md', 'moving.md')
    for name, text in WHOLE.findall((DOCS / page).read_text())
}


def build(registry, cfg: dict):
    """Builds a model without memory and random numbers: shapes only."""
    init_default_scope('mmdet')
    with torch.device('meta'):
        return registry.build(cfg)


# Registries for the arguments that a config leaves at their defaults.
REGISTRIES = dict(model=MODELS, custom_hooks=HOOKS)


def test_pages_have_whole_configs():
    assert len(BLOCKS) >= 5


@pytest.mark.parametrize('name', BLOCKS)
def test_a_whole_config_builds(name, tmp_path):
    path = tmp_path / name
    path.write_text(BLOCKS[name])
    cfg = Config.fromfile(path)
    model = build(MODELS, cfg.model)
    model = getattr(model, 'student', model)
    hooks = [build(HOOKS, hook) for hook in cfg.get('custom_hooks', ())]
    assert len(hooks) <= 1
    for part, kind in (
        *(
            (labelled, 'CocoDataset')
            for labelled in unwrapped_datasets(cfg.train_dataloader)
        ),
        *(
            (loader.dataset, 'TargetDataset')
            for loader in [cfg.train_cfg.get('target_dataloader')]
            if loader
        ),
        (cfg.test_dataloader.dataset, 'CocoDataset'),
    ):
        # What the steps of its pipeline do is tested elsewhere.
        dataset = build(DATASETS, dict(part, pipeline=[], lazy_init=True))
        assert type(dataset).__name__ == kind
        classes = dataset.metainfo['classes']
        assert len(classes) == box_head(model).num_classes
    test = cfg.test_dataloader.dataset
    assert cfg.test_evaluator.ann_file == (
        test.get('data_root', '') + test.ann_file
    )
    assert cfg.val_evaluator == cfg.test_evaluator


@cache
def config(name: str) -> Config:
    return Config.fromfile(f'da_faster::{name}')


def keys_of_the_tables() -> list[tuple]:
    """Config and dotted keys of each table whose comment names a config."""
    text = (DOCS / 'moving.md').read_text()
    parts = re.split(r'^<!-- keys of (\S+) -->$', text, flags=re.M)
    found = [
        (name, key)
        for name, part in zip(parts[1::2], parts[2::2])
        for line in part.strip().split('\n\n')[0].splitlines()[2:]
        for key in re.findall(r'`(\w+(?:\.\w+)+)`', line.split(' | ')[1])
    ]
    assert len(found) > 50
    return found


@pytest.mark.parametrize('name, key', keys_of_the_tables())
def test_a_key_exists(name, key):
    """A key is a value of the config, or an argument of the class there."""
    value = config(name)
    *parts, last = key.split('.')
    for part in parts:
        value = value[int(part) if part.isdigit() else part]
    if last in value:
        return
    init_default_scope('mmdet')
    cls = REGISTRIES[parts[0]].get(value['type'])
    assert any(
        last in inspect.signature(base).parameters for base in cls.__mro__[:-1]
    )
