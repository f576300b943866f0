"""A tiny pair of domains and a tiny config, for tests that train."""

import gc
import json
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import load_from_local

from da_faster.engine.checkpoints.loading import FORCE

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def loading_as_before(monkeypatch):
    """Undoes what a command does to the loading of checkpoints."""
    monkeypatch.setenv(FORCE, '0')
    monkeypatch.delenv(FORCE)
    yield
    CheckpointLoader.register_scheme('', load_from_local, force=True)


@pytest.fixture
def command():
    """Runs a file of tools/ in this process: ``command('x.py', argument)``."""

    def run(tool: str, *argv) -> None:
        main = runpy.run_path(str(ROOT / 'tools' / tool))['main']
        main([str(argument) for argument in argv])

    return run


def pytest_collection_finish() -> None:
    """Keeps the garbage collector from visiting the imported modules.

    MMEngine calls ``gc.collect`` for every dataset that it builds.
    """
    gc.collect()
    gc.freeze()
    # A loader waits so many seconds for each worker to end. In a process that
    # forks, workers often do not end by themselves; torch then kills them.
    torch.utils.data._utils.MP_STATUS_CHECK_INTERVAL = 0.5


TINY = """
_base_ = [
    'ROOT/configs/_base_/models/faster_rcnn_r18_small.py',
    'ROOT/configs/_base_/methods/domain_classifiers_r18_small.py',
    'ROOT/configs/_base_/schedules/small_800.py',
    'ROOT/configs/_base_/default_runtime.py'
]
max_iters = 6
data_root = 'DATA/'
metainfo = dict(classes=('box', ), palette=[(220, 20, 60)])
custom_imports = dict(imports=['da_faster', 'recorder'])
custom_hooks = [dict(type='Recorder')]
model = _base_.domain_classifiers
model.domain_neck.update(in_channels=32, feat_channels=16)
model.instance_domain_head.update(in_channels=32, feat_channels=16)
model.update(
    backbone=dict(base_channels=8),
    rpn_head=dict(
        in_channels=32, feat_channels=32, anchor_generator=dict(scales=[1.5])),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=32),
        bbox_head=dict(in_channels=32, fc_out_channels=32, num_classes=1)),
    loss_consistency=dict(type='DomainConsistencyLoss', loss_weight=0.1),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=100, max_per_img=50),
        rcnn=dict(sampler=dict(num=32))),
    # Scores of an untrained detector are low; keep its detections.
    test_cfg=dict(
        rpn=dict(nms_pre=100, max_per_img=50), rcnn=dict(score_thr=0.)))

load = dict(type='LoadImageFromFile')
resize = dict(type='Resize', scale=(96, 96), keep_ratio=True)
labels = dict(type='LoadAnnotations', with_bbox=True)
flip = dict(type='RandomFlip', prob=0.5)
pack = dict(type='PackDetInputs')
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type='CocoDataset',
        metainfo=metainfo,
        data_root=data_root,
        ann_file='source.json',
        data_prefix=dict(img='source/'),
        pipeline=[load, labels, resize, flip, pack]))
train_cfg = dict(
    type='DALoop',
    max_iters=max_iters,
    val_interval=max_iters,
    target_dataloader=dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type='InfiniteSampler'),
        dataset=dict(
            type='TargetDataset',
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=dict(img='target/'),
            pipeline=[load, resize, flip, pack])))
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset',
        metainfo=metainfo,
        data_root=data_root,
        ann_file='test.json',
        data_prefix=dict(img='test/'),
        test_mode=True,
        pipeline=[load, resize, labels, pack]))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='CocoMetric', ann_file=data_root + 'test.json', metric='bbox')
test_evaluator = val_evaluator
default_hooks = dict(
    logger=dict(interval=1), checkpoint=dict(interval=3, max_keep_ckpts=-1))
log_processor = dict(window_size=1)
randomness = dict(seed=0)
"""


def _draw(folder: Path, num: int, contrast: int, rng) -> dict:
    """Writes images of two rectangles; returns them as a COCO dict."""
    folder.mkdir()
    images, annotations = [], []
    for i in range(num):
        height, width = rng.choice([64, 80, 96], 2).tolist()
        img = rng.integers(80, 120, (height, width, 3), dtype=np.uint8)
        name = f'{folder.name}_{i}.png'
        images.append(dict(id=i, file_name=name, height=height, width=width))
        for column in range(2):
            w, h = rng.integers(18, 28, 2).tolist()
            x = column * width // 2 + int(rng.integers(0, width // 2 - w + 1))
            y = int(rng.integers(0, height - h + 1))
            img[y : y + h, x : x + w, :2] += np.uint8(contrast)
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=i,
                    category_id=1,
                    bbox=[x, y, w, h],
                    area=w * h,
                    iscrowd=0,
                )
            )
        cv2.imwrite(str(folder / name), img)
    return dict(
        images=images,
        annotations=annotations,
        categories=[dict(id=1, name='box')],
    )


@pytest.fixture(scope='session')
def tiny_data(tmp_path_factory) -> Path:
    """A folder with ``source`` and ``target`` (8 images each), ``test`` (5).

    A COCO json lies beside each of them. ``target`` and ``test`` have a lower
    contrast than ``source``.
    """
    root = tmp_path_factory.mktemp('tiny_data')
    rng = np.random.default_rng(0)
    for name, num, contrast in (
        ('source', 8, 130),
        ('target', 8, 70),
        ('test', 5, 70),
    ):
        coco = _draw(root / name, num, contrast, rng)
        (root / f'{name}.json').write_text(json.dumps(coco))
    return root


@pytest.fixture(scope='session')
def tiny_config(tiny_data, tmp_path_factory) -> Path:
    """A config that trains on ``tiny_data`` in well under 0.2 s an iteration.

    The config's Recorder writes down what every iteration saw.
    """
    path = tmp_path_factory.mktemp('tiny_config') / 'tiny.py'
    path.write_text(
        TINY.replace('ROOT', str(ROOT)).replace('DATA', str(tiny_data))
    )
    return path
