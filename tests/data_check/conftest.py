"""A small set of data that has no error."""

import pytest
from mmengine.config import Config

from checking import coco, image, put


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Three images of each role, their COCO files and a config."""
    monkeypatch.chdir(tmp_path)
    for number, role in enumerate(('source', 'target', 'test')):
        for i in range(3):
            image(tmp_path / role / f'{role}{i}.png', (80 * number, 9 * i, 0))
        put(role, coco(role, 3))

    def dataset(role, **kwargs):
        return dict(
            type='CocoDataset',
            data_root='.',
            metainfo=dict(classes=('cat', 'dog')),
            ann_file=f'{role}.json',
            data_prefix=dict(img=f'{role}/'),
            pipeline=[],
            **kwargs,
        )

    target = dict(dataset('target'), type='TargetDataset', ann_file='')
    test = dict(dataset=dataset('test', test_mode=True))
    return Config(
        dict(
            default_scope='mmdet',
            custom_imports=dict(imports=['da_faster']),
            expected_images=3,
            model=dict(
                backbone=dict(num_classes=1000),
                rpn_head=dict(num_classes=1),
                roi_head=dict(bbox_head=[dict(num_classes=2)] * 2),
            ),
            train_dataloader=dict(dataset=dataset('source')),
            train_cfg=dict(
                type='DALoop', target_dataloader=dict(dataset=target)
            ),
            val_dataloader=test,
            test_dataloader=test,
            val_evaluator=dict(type='CocoMetric', ann_file='./test.json'),
            test_evaluator=[dict(type='CocoMetric', ann_file='test.json')],
        )
    )
