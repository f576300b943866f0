"""Test images that would not be scored, or with other labels."""

import json
from pathlib import Path

import pytest

from checking import boxes, coco, find, only, put
from da_faster.data_check import check


def test_size_and_file_of_the_test(data):
    data.expected_images = 500
    only(data, True, 'has 3 images', 'tests on 500')
    data.expected_images = None
    put('test', coco('test', 3, annotations=boxes(dict(id=0))))
    only(data, False, 'annotation with id 0')
    put('test', coco('test', 3))
    data.val_evaluator.ann_file = 'source.json'
    only(data, True, 'val_evaluator scores with source.json')


def test_labels_of_other_images_do_not_score(data):
    """The ids of two files coincide, so the AP would just be low."""
    Path('other.json').write_text(json.dumps(coco('test', 3)))
    data.val_dataloader = json.loads(json.dumps(data.test_dataloader))
    data.test_dataloader.dataset.ann_file = 'other.json'
    only(
        data,
        True,
        'test_evaluator scores with test.json, but its images come from '
        './other.json',
    )
    data.test_evaluator[0].ann_file = 'other.json'
    assert find(data) == []
    data.val_evaluator.ann_file = 'other.json'
    only(data, True, 'val_evaluator scores with other.json')
    # A test asks for the data of the test alone.
    for name in ('source.json', 'test.json'):
        Path(name).unlink()
    assert check(data, roles=('test',)).findings == []


@pytest.mark.parametrize(
    'change, parts',
    [
        (dict(indices=2), ('leave 2 of 3 images', 'as missed')),
        (
            dict(test_mode=False, filter_cfg=dict(min_size=11)),
            ('leave 0 of 3 images',),
        ),
    ],
)
def test_images_that_a_test_passes_over(data, change, parts):
    data.val_dataloader = data.val_evaluator = None
    data.test_dataloader.dataset.update(change)
    found = [f for f in find(data) if 'the test counts' not in f.text]
    (finding,) = found
    assert finding.fatal
    for part in parts:
        assert part in finding.text
    # Labels that come with the images leave out the same ones.
    data.test_evaluator = dict(type='CocoMetric')
    assert not [f for f in find(data) if 'images, and' in f.text]


def test_a_last_batch_that_a_test_drops(data):
    data.val_dataloader = data.val_evaluator = None
    data.test_dataloader.update(batch_size=2, drop_last=True)
    only(data, True, 'test_dataloader.drop_last=True leaves out 1 images')
    data.test_dataloader.batch_size = 3
    assert find(data) == []


@pytest.mark.parametrize(
    'change, sentence',
    [
        (dict(num_batch_per_epoch=1), 'num_batch_per_epoch=1 leaves out 2 '),
        (
            dict(batch_size=2, batch_sampler=dict(drop_last=True)),
            'batch_sampler.drop_last=True leaves out 1 ',
        ),
    ],
)
def test_batches_that_a_test_passes_over(data, change, sentence):
    data.val_dataloader = data.val_evaluator = None
    data.test_dataloader.update(change)
    only(data, True, f'test_dataloader.{sentence}')
    data.test_dataloader.update(batch_size=3)
    assert find(data) == []


def test_a_list_of_images_in_coco_format_to_predict_on(data):
    put('test', coco('test', 3, annotations=[]))
    only(data, True, 'has no boxes: ', 'set test_evaluator=[] to predict')
    data.test_evaluator[0].format_only = True
    only(data, True, 'has no boxes: ')  # the validation needs them
    data.val_evaluator = []
    assert find(data) == []
    data.test_evaluator = []
    assert find(data) == []


def test_two_files_are_not_scored_with_one(data):
    data.val_dataloader = data.val_evaluator = data.expected_images = None
    inner = data.test_dataloader.dataset
    Path('other.json').write_text(json.dumps(coco('test', 3)))
    data.test_dataloader.dataset = dict(
        type='ConcatDataset',
        datasets=[inner, dict(inner, ann_file='other.json')],
    )
    only(data, True, 'the images of 2 files with test.json alone')
    data.test_evaluator = dict(
        type='MultiDatasetsEvaluator',
        metrics=[
            dict(type='CocoMetric', ann_file=name)
            for name in ('test.json', 'other.json')
        ],
        dataset_prefixes=['a', 'b'],
    )
    assert find(data) == []


def test_images_without_labels_to_predict_on(data):
    data.val_dataloader = data.val_evaluator = data.expected_images = None
    target = data.train_cfg.target_dataloader.dataset
    data.test_dataloader = dict(dataset=dict(target))
    only(data, True, 'test_evaluator has nothing to measure with')
    data.test_evaluator = []
    assert find(data) == []  # the target's own images, too
    data.test_evaluator = [dict(type='DumpDetResults', out_file_path='x.pkl')]
    assert find(data) == []
    assert check(data).describe()[-1] == (
        'test: 3 images, no labels: to predict on; ./target/'
    )
