"""How configs and models nest."""

import pytest
from mmdet.models import FasterRCNN
from mmengine.config import ConfigDict
from torch import nn

from da_faster.config_tree import (
    all_steps,
    box_head,
    dataloaders,
    head_classes,
    last_name,
    last_pipelines,
    steps_of,
    unwrapped_datasets,
)


@pytest.mark.parametrize(
    'kind, name',
    [
        (FasterRCNN, 'FasterRCNN'),
        ('mmdet.models.FasterRCNN', 'FasterRCNN'),
        ('FasterRCNN', 'FasterRCNN'),
        (None, 'None'),
    ],
)
def test_the_name_in_a_type(kind, name):
    assert last_name(kind) == name


def test_the_box_head_of_a_config():
    one, two = dict(type='A'), dict(type='B')
    assert box_head(dict(bbox_head=one)) is one
    assert box_head(dict(roi_head=dict(bbox_head=[one, two]))) is two
    # The head of a proposal network finds no boxes of classes.
    assert box_head(dict(rpn_head=one, roi_head=None)) is None


def test_the_box_head_of_a_model():
    model = nn.Module()
    assert box_head(model) is None
    model.roi_head = nn.Module()
    model.roi_head.bbox_head = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    assert isinstance(box_head(model), nn.Tanh)


def test_classes_of_box_and_mask_heads_alone():
    model = dict(
        bbox_head=[dict(num_classes=1), dict(num_classes=2)],
        segmentation=dict(num_classes=3),
    )
    assert list(head_classes(model)) == [
        ('model.bbox_head.0.num_classes', 1),
        ('model.bbox_head.1.num_classes', 2),
    ]


def test_a_training_on_the_target_alone_has_no_source():
    loader = dict(dataset=dict(type='TargetDataset'))
    alone = dict(train_dataloader=loader, train_cfg=dict(type='TargetLoop'))
    assert dataloaders(alone) == dict(target=loader)
    both = dict(
        train_dataloader=1, train_cfg=dict(target_dataloader=2), val_cfg=None
    )
    assert dataloaders(both) == dict(source=1, target=2)


def test_datasets_in_wrappers():
    inner = [dict(ann_file='a'), dict(ann_file='b', pipeline=['x'])]
    joined = dict(datasets=inner)
    loader = ConfigDict(dataset=dict(times=2, dataset=joined))
    assert [dataset.ann_file for dataset in unwrapped_datasets(loader)] == [
        'a',
        'b',
    ]
    assert not list(unwrapped_datasets(None))
    assert not list(unwrapped_datasets(dict(dataset=dict(datasets=[]))))
    assert list(last_pipelines(joined)) == [inner[1]]
    joined['pipeline'] = ['y']
    assert list(last_pipelines(joined)) == [joined]


def test_steps_within_choices():
    resize, flip = dict(type='Resize'), dict(type='RandomFlip')
    choice = dict(type='RandomChoice', transforms=[[resize], [flip]])
    assert list(all_steps([choice])) == [choice, resize, flip]
    mixed = dict(dataset=dict(pipeline=[resize]), pipeline=[flip])
    assert list(steps_of(dict(dataset=mixed))) == [flip, resize]
