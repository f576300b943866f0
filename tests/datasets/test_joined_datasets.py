"""Joined datasets: one metainfo, and the check of the classes."""

import pytest
from mmengine.registry import init_default_scope

from da_faster.datasets import JoinedDatasets
from da_faster.errors import UserError


@pytest.fixture(autouse=True)
def mmdet_scope():
    """Registries look into MMDetection, whichever test runs first."""
    init_default_scope('mmdet')


def part(root, role, classes, **metainfo) -> dict:
    return dict(
        type='CocoDataset',
        data_root=str(root),
        ann_file=f'{role}.json',
        data_prefix=dict(img=f'{role}/'),
        metainfo=dict(classes=classes, **metainfo),
        pipeline=[],
    )


def test_one_metainfo_whatever_the_palettes(tiny_data):
    """The metainfo of MMDetection's ConcatDataset would be a list of two."""
    both = JoinedDatasets(
        [
            part(tiny_data, 'source', ('car', 'person'), palette=[(1, 2, 3)]),
            part(tiny_data, 'test', ('car', 'person')),
        ],
        dict(classes=('car', 'person')),
    )
    assert both.metainfo == dict(classes=('car', 'person'))
    assert len(both) == 8 + 5


def test_sets_of_other_classes(tiny_data):
    sets = [
        part(tiny_data, 'source', ('car', 'person')),
        part(tiny_data, 'test', ('person', 'car')),
    ]
    with pytest.raises(UserError, match="'person', 'car'.*the same metainfo"):
        JoinedDatasets(sets, dict(classes=('car', 'person')))
