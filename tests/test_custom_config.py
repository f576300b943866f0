"""The template for one's own data, edited as its walkthrough says."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from da_faster.benchmarking.hard_pairs import fill_template
from da_faster.config_files import read_config
from da_faster.data_check import check

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / 'configs/custom/source_only_custom.py'


@pytest.fixture
def edited(tiny_data, tmp_path):
    """Writes the template and its sibling with other lines at the top."""

    def edit(**lines) -> Path:
        lines = dict(
            dict(
                classes=('box',),
                source_images=f'{tiny_data}/source/',
                source_labels=f'{tiny_data}/source.json',
                target_images=f'{tiny_data}/target/',
            ),
            **lines,
        )
        for sibling in TEMPLATE.parent.glob('*.py'):
            (tmp_path / sibling.name).write_text(sibling.read_text())
        (tmp_path / TEMPLATE.name).write_text(fill_template(**lines))
        return tmp_path

    return edit


def test_without_target_labels(edited):
    folder = edited()
    for name in ('da_faster_custom', 'source_only_custom'):
        cfg = Config.fromfile(folder / f'{name}.py')
        assert check(cfg).findings == []
        assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None
        assert cfg.test_dataloader.dataset.type == 'TargetDataset'
        assert cfg.test_evaluator == []
        model = MODELS.build(cfg.model)
        assert model.roi_head.bbox_head.num_classes == 1
        assert len(DATASETS.build(cfg.train_dataloader.dataset)) == 8
        assert hasattr(model, 'domain_neck') == (name == 'da_faster_custom')
    assert 'target_dataloader' not in cfg.train_cfg
    cfg = Config.fromfile(folder / 'da_faster_custom.py')
    assert len(DATASETS.build(cfg.train_cfg.target_dataloader.dataset)) == 8


def test_with_target_labels(edited, tiny_data):
    folder = edited(
        test_labels=f'{tiny_data}/test.json', test_images=f'{tiny_data}/test/'
    )
    cfg = Config.fromfile(folder / 'da_faster_custom.py')
    checker = check(cfg)
    assert checker.findings == []
    assert [len(part.images) for part in checker.parts] == [8, 8, 5]
    assert cfg.test_evaluator.ann_file == f'{tiny_data}/test.json'
    assert cfg.val_cfg.type == 'ValLoop'


def test_objects_of_another_size(edited, tiny_data):
    folder = edited(
        test_labels=f'{tiny_data}/test.json',
        test_images=f'{tiny_data}/test/',
        scale=(64, 32),
        target_scale=(128, 48),
    )
    cfg = Config.fromfile(folder / 'da_faster_custom.py')
    scales = [
        step.scale
        for dataset in (
            cfg.train_cfg.target_dataloader.dataset,
            cfg.test_dataloader.dataset,
        )
        for step in dataset.pipeline
        if step.type == 'Resize'
    ]
    assert scales == [(128, 48), (128, 48)]
    assert {step.scale for step in found(cfg.train_dataloader, 'scale')} == {
        (64, 32)
    }


def found(value, key: str) -> Iterator[dict]:
    """Finds all dicts inside a value that have a key."""
    if isinstance(value, dict):
        if key in value:
            yield value
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from found(item, key)


def test_source_objects_come_in_many_sizes(edited):
    cfg = Config.fromfile(edited() / 'da_faster_custom.py')
    init_default_scope('mmdet')
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    np.random.seed(0)
    boxes = [
        dataset[0]['data_samples'].gt_instances.bboxes.tensor
        for _ in range(60)
    ]
    widths = torch.cat([b[:, 2] - b[:, 0] for b in boxes])
    usual = Config.fromfile(edited() / 'source_only_custom.py')
    dataset = DATASETS.build(usual.train_dataloader.dataset)
    plain = dataset[0]['data_samples'].gt_instances.bboxes.tensor
    plain = plain[:, 2] - plain[:, 0]
    assert widths.min() < 0.7 * plain.min()
    assert widths.max() > 1.5 * plain.max()
    assert widths.min() >= 4


def test_without_jitter_all_boxes_stay(edited):
    folder = edited(scale=(16, 16))  # boxes of one to six pixels
    path = folder / TEMPLATE.name
    text = path.read_text()
    assert 'prob=[0.4, 0.4, 0.2]' in text
    path.write_text(text.replace('[0.4, 0.4, 0.2]', '[1.0, 0.0, 0.0]'))
    init_default_scope('mmdet')
    ours, plain = (
        DATASETS.build(read_config(folder / name).train_dataloader.dataset)
        for name in ('da_faster_strong_custom.py', 'source_only_custom.py')
    )
    smallest = 16
    for index in range(len(plain)):
        sizes = []
        for dataset in (ours, plain):
            sample = dataset[index]['data_samples']
            boxes = sample.gt_instances.bboxes.tensor
            sizes.append(boxes[:, 2:] - boxes[:, :2])
        torch.testing.assert_close(*sizes)
        smallest = min(smallest, sizes[0].min())
    assert smallest < 4


def test_the_burn_in_of_the_teacher_is_the_others_training():
    cfg = read_config(TEMPLATE.with_name('mean_teacher_custom.py'))
    assert cfg.custom_hooks[0].burn_in == 1800
    assert cfg.train_cfg.max_iters == cfg.train_cfg.val_interval == 2520
    warm_up, decay = cfg.param_scheduler
    assert warm_up.end == decay.begin
    assert decay.end == decay.begin + decay.T_max == 2520
    assert read_config(TEMPLATE).train_cfg.max_iters == 1800


def test_the_lines_at_the_top_reach_the_teacher(edited):
    folder = edited(
        batch_size=3,
        source_labels='my.json',
        classes=('a', 'b'),
        target_images='mine/',
        test_labels='test.json',
    )
    cfg = read_config(folder / 'mean_teacher_custom.py')
    target = cfg.train_cfg.target_dataloader
    assert cfg.train_dataloader.batch_size == target.batch_size == 3
    assert cfg.train_dataloader.dataset.ann_file == 'my.json'
    assert cfg.model.detector.roi_head.bbox_head.num_classes == 2
    assert target.dataset.data_prefix.img == 'mine/'
    style = [s for s in cfg.style_pipeline if s.type == 'TargetStyle']
    assert style[0].dataset.data_prefix.img == 'mine/'
    assert cfg.test_evaluator.ann_file == 'test.json'


def test_the_teacher_with_the_reference_s_schedule(edited):
    """The template's first comment names the three lines to change."""
    folder = edited()
    path = folder / TEMPLATE.name
    text = path.read_text()
    for ours, theirs in (
        ('faster_rcnn_r18_small.py', 'faster_rcnn_r50_caffe_c4.py'),
        ('classifiers_r18_small.py', 'classifiers_r50_c4.py'),
        ('small_1800.py', 'reference_70k.py'),
    ):
        text = text.replace(ours, theirs)
    path.write_text(text)
    cfg = read_config(folder / 'mean_teacher_custom.py')
    assert cfg.train_cfg.max_iters == 98000
    assert cfg.custom_hooks[0].burn_in == 70000
    assert cfg.param_scheduler[1].milestones == [50000]
    others = read_config(path).param_scheduler
    assert cfg.param_scheduler == others  # there is no cosine to stretch
    model = MODELS.build(read_config(folder / 'da_faster_custom.py').model)
    assert model.domain_neck.classifiers[0].conv.in_channels == 1024
    assert model.loss_consistency is None


def test_the_comma_that_is_forgotten(edited):
    cfg = Config.fromfile(edited(classes='box') / 'da_faster_custom.py')
    texts = [finding.text for finding in check(cfg).findings]
    assert any("write classes=('box', )" in text for text in texts), texts


@pytest.mark.parametrize(
    'name',
    [
        'da_faster_custom.py',
        'da_faster_strong_custom.py',
        'da_faster_plain_custom.py',
    ],
)
def test_padding_does_not_tell_the_domains_apart(name):
    model = Config.fromfile(TEMPLATE.with_name(name)).model
    assert model.domain_neck.ignore_padding
    assert model.instance_domain_head.shared_dropout
