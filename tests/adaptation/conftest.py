"""Configs of MMDetection as a user has them, on tiny data."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.hub import get_config

from ..small_detectors import CONFIGS, narrow


@pytest.fixture(autouse=True)
def plain_configs(monkeypatch):
    """Laying out a config for people takes longer than these trainings."""
    monkeypatch.setattr(
        'yapf.yapflib.yapf_api.FormatCode', lambda text, **_: (text, True)
    )


SIDE = 64
SIZES = ('scale', 'crop_size', 'img_scale', 'size')
META = dict(classes=('box',))


def shrink(value) -> None:
    """Images of 64 pixels, one class, no worker, no ring of old images."""
    if isinstance(value, (list, tuple)):
        for item in value:
            shrink(item)
    elif isinstance(value, dict):
        for key in SIZES:
            if isinstance(value.get(key), tuple):
                value[key] = (SIDE, SIDE)
        if 'scales' in value and value.get('type') == 'RandomChoiceResize':
            value['scales'] = [(SIDE, SIDE)]
        if 'num_classes' in value:
            value['num_classes'] = 1
        if 'score_thr' in value:  # an untrained detector has low scores
            value['score_thr'] = 0.0
        if 'max_per_img' in value:
            value['max_per_img'] = min(value['max_per_img'], 10)
        if value.get('type') in ('CachedMosaic', 'CachedMixUp'):
            value['max_cached_images'] = 6
        for item in value.values():
            shrink(item)


def with_masks(labels: Path, folder: Path) -> Path:
    """A COCO file whose boxes have their rectangle as a mask."""
    content = json.loads(labels.read_text())
    for item in content['annotations']:
        x, y, w, h = item['bbox']
        item['segmentation'] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
    path = folder / labels.name
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def user_config(tiny_data, tmp_path):
    """Writes the config of one of MMDetection's detectors and random weights.

    Returns:
        tuple[Path, Path]: Config and checkpoint.
    """

    def make(name: str) -> tuple:
        register_all_modules()
        cfg = get_config(f'mmdet::{CONFIGS[name]}.py')
        narrow(cfg.model)
        shrink(cfg._cfg_dict)
        for augment in cfg.model.data_preprocessor.get('batch_augments') or ():
            augment.update(interval=1, random_size_range=(32, 64))
        data = tiny_data
        for key, part in (('train', 'source'), ('test', 'test')):
            loader = cfg[f'{key}_dataloader']
            loader.batch_size = 2
            loader.num_workers = 0
            loader.persistent_workers = False
            dataset = loader.dataset
            while 'dataset' in dataset:
                dataset = dataset.dataset
            dataset.update(
                data_root=f'{data}/',
                ann_file=str(with_masks(data / f'{part}.json', tmp_path)),
                data_prefix=dict(img=f'{part}/'),
                metainfo=META,
                filter_cfg=None,
            )
        cfg.val_dataloader = cfg.test_dataloader
        cfg.test_evaluator.ann_file = str(tmp_path / 'test.json')
        cfg.val_evaluator = cfg.test_evaluator
        config = tmp_path / f'{name}.py'
        cfg.dump(str(config))
        torch.manual_seed(0)
        model = MODELS.build(cfg.model)
        model.init_weights()
        checkpoint = tmp_path / f'{name}.pth'
        torch.save(
            dict(state_dict=model.state_dict(), meta=dict(dataset_meta=META)),
            checkpoint,
        )
        return config, checkpoint

    return make


@pytest.fixture(scope='module')
def detector(tiny_config, tmp_path_factory):
    """A config and untrained weights."""
    register_all_modules()
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(tiny_config).model)
    model.init_weights()
    path = tmp_path_factory.mktemp('weights') / 'tiny.pth'
    meta = dict(dataset_meta=dict(classes=('box',)))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return tiny_config, path


@pytest.fixture
def target(tiny_data, tmp_path):
    folder = tmp_path / 'target'
    folder.mkdir()
    for image in sorted((tiny_data / 'target').glob('*.png'))[:3]:
        shutil.copy(image, folder)
    return folder
