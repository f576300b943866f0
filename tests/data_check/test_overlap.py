"""Images that two of the sets share."""

import pytest

from checking import by_detector, coco, only, put
from da_faster.data_check import check


def test_same_images(data):
    target = data.train_cfg.target_dataloader.dataset
    target.data_prefix.img = 'test/'
    only(data, False, 'target and test share 3 images by path')
    target.data_prefix.img = 'source/'
    only(data, True, 'source and target share 3 images by path')


@pytest.mark.parametrize('full', [False, True])
def test_the_target_s_images_with_a_detector_s_boxes(data, full):
    """Source and target may share images whose boxes a detector made."""
    source = data.train_dataloader.dataset
    folder = dict(img='target/')
    target = dict(source, ann_file='target.json', data_prefix=folder)
    data.train_dataloader.dataset = dict(
        type='ConcatDataset', datasets=[source, target]
    )

    def texts():
        return [f.text for f in check(data, full, nproc=1).findings]

    (text,) = texts()
    assert 'the domains do not differ' in text
    put('target', by_detector(coco('target', 3)))
    assert texts() == []
    # Images with such boxes are none to test on.
    test = data.test_dataloader.dataset
    test.update(ann_file='seen.json', data_prefix=folder)
    put('seen', coco('target', 3))
    data.val_evaluator = data.test_evaluator = dict(type='CocoMetric')
    data.val_dataloader = data.test_dataloader
    assert any('labelled target and test share 3' in t for t in texts())
