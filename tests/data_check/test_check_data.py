"""The check of the data: every finding on a small set that has its error."""

import json
import re
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.config import Config
from PIL import Image

from da_faster.apis import testing, training
from da_faster.data_check import check

SIZE = (20, 10)


def image(path, colour) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', SIZE, colour).save(path)


def coco(role, count, **changes) -> dict:
    return dict(
        dict(
            images=[
                dict(id=i, file_name=f'{role}{i}.png', width=20, height=10)
                for i in range(count)
            ],
            annotations=[
                dict(
                    id=i + 1,
                    image_id=i,
                    category_id=i % 2 + 1,
                    bbox=[1, 2, 6, 5],
                    area=30,
                    iscrowd=0,
                )
                for i in range(count)
            ],
            categories=[dict(id=1, name='cat'), dict(id=2, name='dog')],
        ),
        **changes,
    )


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


def put(role, content) -> None:
    Path(f'{role}.json').write_text(json.dumps(content))


def find(cfg) -> list:
    return check(cfg).findings


def only(cfg, fatal, *parts) -> None:
    """There is this finding and no other one."""
    (finding,) = find(cfg)
    assert finding.fatal == fatal, finding.text
    for part in parts:
        assert part in finding.text
    assert '\n' not in finding.text


def test_nothing_is_found_where_nothing_is_wrong(data):
    assert find(data) == []
    # The labels of the target are ignored, whatever they are.
    put('target', coco('target', 3, annotations=[dict(bbox=None)]))
    data.train_cfg.target_dataloader.dataset.ann_file = 'target.json'
    assert find(data) == []
    data.merge_from_dict(dict(val_dataloader=None, test_dataloader=None))
    data.val_evaluator = data.test_evaluator = None
    assert find(data) == []


def test_labels_that_are_no_coco_file(data):
    data.train_dataloader.dataset.ann_file = 'boxes.csv'
    only(data, True, 'boxes.csv is no COCO json file', '/csv_table.py.')
    data.train_dataloader.dataset.type = 'VOCDataset'
    only(data, True, 'boxes.csv does not exist')
    Path('boxes.csv').touch()
    only(data, False, 'only COCO json files are checked')


def test_wrappers(data):
    source = data.train_dataloader.dataset
    data.train_dataloader.dataset = dict(
        type='RepeatDataset',
        times=2,
        dataset=dict(type='ConcatDataset', datasets=[source, source]),
    )
    assert find(data) == []
    put('source', coco('source', 4))
    assert len(find(data)) == 2


CAT, DOG = dict(id=1, name='cat'), dict(id=2, name='dog')


def boxes(*changes) -> list:
    """Five annotations, of cat, dog, cat, cat, dog; the first are changed."""
    items = coco('source', 3)['annotations']
    items += [dict(items[0], id=4), dict(items[1], id=5)]
    for item, change in zip(items, changes):
        item.update(change)
    return items


FILES = {
    'missing image': (
        coco('source', 4),
        True,
        ('1 of 4 images do not exist: ./source/source3.png; correct',),
    ),
    'missing images': (
        coco('source', 5),
        True,
        ('./source/source3.png; ./source/source4.png; correct',),
    ),
    'wrong folder': (
        coco('other', 3),
        True,
        ('3 of 3 images do not exist: e.g. ./source/other0.png; correct',),
    ),
    "Windows' names": (
        coco(
            'source',
            3,
            images=[
                dict(id=i, file_name=f'x\\{i}.png', width=20, height=10)
                for i in range(3)
            ],
        ),
        True,
        ("these are Windows' names: convert it with tools/dataset_conv",),
    ),
    'order': (
        coco('source', 3, categories=[dict(DOG, id=1), dict(CAT, id=2)]),
        True,
        ('order dog cat', 'config in the order cat dog'),
    ),
    'other name': (
        coco('source', 3, categories=[CAT, dict(DOG, name='Dog')]),
        True,
        ("no category 'dog'", 'the file cat Dog'),
    ),
    'twice': (
        coco('source', 3, categories=[CAT, DOG, dict(CAT, id=3)]),
        True,
        ('category id or name twice',),
    ),
    'ids from 0': (
        coco('source', 3, annotations=boxes(dict(category_id=0))),
        True,
        ('1 of 5 boxes have a category_id (as 0)', '1 to 2', 'annotation 1 '),
    ),
    'not finite': (
        coco(
            'source', 3, annotations=boxes(dict(bbox=[1, 2, float('nan'), 5]))
        ),
        True,
        ('1 of 5', 'not finite'),
    ),
    'zero size': (
        coco('source', 3, annotations=boxes({}, {}, dict(bbox=[1, 2, 0, 5]))),
        False,
        ('less than one pixel', 'annotation 3 '),
    ),
    'outside': (
        coco('source', 3, annotations=boxes({}, {}, dict(bbox=[20, 2, 5, 5]))),
        False,
        ('outside their image',),
    ),
    'beyond': (
        coco('source', 3, annotations=boxes(dict(bbox=[15, 2, 15, 7]))),
        False,
        ('more than a pixel beyond', 'left, top, width, height'),
    ),
    'other image': (
        coco('source', 3, annotations=boxes({}, {}, dict(image_id=77))),
        False,
        ('an image that it does not list',),
    ),
    'relative': (
        coco(
            'source',
            3,
            annotations=boxes(*[dict(bbox=[0.1, 0.2, 0.5, 0.5])] * 5),
        ),
        True,
        ('look relative',),
    ),
    'no boxes': (
        coco('source', 3, annotations=[]),
        True,
        ('source.json has no boxes: give it a file with labels.',),
    ),
    'no dog': (
        coco('source', 3, annotations=boxes(*[dict(category_id=1)] * 5)),
        False,
        ('no usable box of dog',),
    ),
    'same id': (
        coco('source', 3, annotations=boxes(dict(id=3))),
        True,
        ('1 annotation ids twice',),
    ),
    'no area': (
        coco(
            'source',
            3,
            annotations=[
                dict(id=1, image_id=0, category_id=1, bbox=[1, 2, 3, 4])
            ],
        ),
        True,
        ("KeyError('area')",),
    ),
    'no size': (
        coco(
            'source',
            3,
            images=[dict(id=i, file_name=f'source{i}.png') for i in range(3)],
        ),
        True,
        ("KeyError('width')",),
    ),
    'no images': (dict(annotations=[]), True, ('not a COCO file',)),
    'a list': ([], True, ('not a COCO file',)),
    'all of area 0': (
        coco('source', 3, annotations=boxes(*[dict(area=0)] * 5)),
        True,
        ('training uses 0 of its 5 boxes (5 with an area of 0 or less:',),
    ),
    'nearly all of area 0': (
        coco(
            'source',
            3,
            annotations=[
                dict(boxes()[0], id=i, area=i // 25) for i in range(1, 26)
            ],
        ),
        True,
        ('training uses 1 of its 25 boxes (24 with an area of 0 or less',),
    ),
    'all crowds': (
        coco('source', 3, annotations=boxes(*[dict(iscrowd=1)] * 5)),
        True,
        ('training uses 0 of its 5 boxes (5 with iscrowd=1',),
    ),
    'some of area 0': (
        coco('source', 3, annotations=boxes(dict(area=-3))),
        False,
        ('training uses 4 of its 5 boxes (1 with an area of 0 or less',),
    ),
    'to be ignored': (
        coco('source', 3, annotations=boxes(dict(ignore=1))),
        False,
        ('training uses 4 of its 5 boxes (1 with ignore=1: write 0)',),
    ),
    'many crowds': (
        coco('source', 3, annotations=boxes({}, {}, *[dict(iscrowd=1)] * 3)),
        False,
        ('training uses 2 of its 5 boxes (3 with iscrowd=1',),
    ),
    'area as a text': (
        coco('source', 3, annotations=boxes(dict(area='30'))),
        True,
        ("'30' is not a number",),
    ),
    'area none': (
        coco('source', 3, annotations=boxes(dict(area=None))),
        True,
        ('None is not a number',),
    ),
    'image id twice': (
        coco(
            'source',
            3,
            images=coco('source', 3)['images']
            + [dict(id=2, file_name='source0.png', width=20, height=10)],
        ),
        True,
        ('1 image ids twice',),
    ),
    'image twice': (
        coco(
            'source',
            3,
            images=coco('source', 3)['images']
            + [dict(id=9, file_name='source0.png', width=20, height=10)],
        ),
        False,
        ('1 images more than once',),
    ),
}


@pytest.mark.parametrize('case', FILES)
def test_findings_in_the_source(data, case):
    content, fatal, parts = FILES[case]
    put('source', content)
    found = find(data)
    also = {
        'relative': 'less than one pixel',
        'image id twice': 'more than once',
    }
    if case in also:
        found = [f for f in found if also[case] not in f.text]
    (finding,) = found
    assert finding.fatal == fatal, finding.text
    for part in ('source.json', *parts):
        assert part in finding.text
    assert '\n' not in finding.text


ODD = [
    {},
    dict(area=0),
    dict(area=-1),
    dict(area=0.5),
    dict(iscrowd=1),
    dict(iscrowd='0'),
    dict(ignore=True),
    dict(bbox=[1, 2, 0.9, 5]),
    dict(bbox=[20, 2, 3, 3]),
    dict(bbox=[-3, 2, 3, 3]),
    dict(category_id=3),
    dict(image_id=1, bbox=[1, 1, 5, 5]),
]


@pytest.mark.parametrize(
    'rule',
    [
        {},
        dict(filter_cfg=dict(filter_empty_gt=True, min_size=9)),
        dict(filter_cfg=dict(min_size=9), test_mode=True),
        dict(indices=1),
        dict(indices=-2),
        dict(indices=[1]),
    ],
)
def test_used_boxes_are_those_of_mmdetection(data, rule):
    """Counted as CocoDataset does, box by box."""
    content = coco('source', 3, annotations=[])
    content['images'][1]['height'] = 8
    content['categories'].append(dict(id=3, name='cow'))
    for i, change in enumerate(ODD):
        item = dict(coco('source', 1)['annotations'][0], id=i + 1)
        content['annotations'].append(dict(item, **change))
    put('source', content)
    data.train_dataloader.dataset.update(rule)
    dataset = DATASETS.build(data.train_dataloader.dataset)
    given = [
        instance['bbox']
        for i in range(len(dataset))
        for instance in dataset.get_data_info(i)['instances']
        if not instance['ignore_flag']
    ]
    used = check(data)._used[0]
    boxes = [
        item['bbox'] for item, use in zip(content['annotations'], used) if use
    ]
    assert sorted([x, y, x + w, y + h] for x, y, w, h in boxes) == sorted(
        given
    )


def test_a_few_images_of_many_for_a_trial(data):
    """What indices leave out is told, and is no error."""
    item = coco('source', 1)['annotations'][0]
    many = [
        dict(item, id=i + 1, image_id=min(i, 2), category_id=i % 2 + 1)
        for i in range(62)
    ]
    put('source', coco('source', 3, annotations=many))
    data.train_dataloader.dataset.indices = 2
    told = '2 of its 62 boxes (60 with an image that indices leave out)'
    only(data, False, told)


def test_the_evaluation_has_other_rules(data):
    put('test', coco('test', 3, annotations=boxes(dict(area=0), dict(area=0))))
    only(data, False, '2 of 5 boxes have an area of 0', 'AP by size')
    put('test', coco('test', 3, annotations=boxes(dict(ignore=1))))
    only(data, False, '1 of 5 boxes have ignore=1', 'write iscrowd=1')
    put('test', coco('test', 3, annotations=boxes(*[dict(area=-1)] * 5)))
    only(data, True, 'the test counts 0 of its 5 boxes')
    put('test', coco('test', 3, annotations=boxes(*[dict(iscrowd=1)] * 5)))
    only(data, True, 'the test counts 0 of its 5 boxes (5 with iscrowd=1')


def test_files_that_are_not_there_or_cut(data):
    Path('source.json').write_text(json.dumps(coco('source', 3))[:-20])
    only(data, True, 'source.json is not whole json')
    Path('source.json').unlink()
    only(data, True, 'source.json does not exist', 'tools/dataset_converters')


def test_config(data):
    data.train_dataloader.dataset.metainfo.classes = 'cat'
    only(data, True, "write classes=('cat', )")
    data.train_dataloader.dataset.metainfo.classes = ('cat',)
    found = find(data)
    assert all(finding.fatal for finding in found)
    texts = ' '.join(finding.text for finding in found)
    assert 'other classes for the source (cat) than for the test' in texts
    assert 'bbox_head.0.num_classes=2 in the model' in texts


def joined(data, ratio, batch_size=2) -> None:
    """The source twice, in shared batches."""
    source = data.train_dataloader.dataset
    sampler = dict(
        type='MultiSourceSampler', batch_size=batch_size, source_ratio=ratio
    )
    data.train_dataloader = dict(
        batch_size=batch_size,
        sampler=sampler,
        dataset=dict(
            type='JoinedDatasets',
            metainfo=source.metainfo,
            datasets=[source, source],
        ),
    )


def test_shares_of_a_batch(data):
    joined(data, [1, 1])
    assert find(data) == []
    sampler = data.train_dataloader.sampler
    for ratio in ([1], [1, 1, 1], (1, 1), 1, [1, 'a']):
        sampler.source_ratio = ratio
        only(data, True, 'source_ratio', 'give a list of 2 numbers')
    # Half of 1, a fifth of 2: MMDetection's sampler would wait forever.
    for ratio, batch_size, last in (
        ([1, 1], 1, 1),
        ([4, 1], 2, 1),
        ([1, 0], 2, 1),
        ([0, 1], 2, 0),
    ):
        sampler.update(source_ratio=ratio, batch_size=batch_size)
        data.train_dataloader.batch_size = batch_size
        only(data, True, f'less than one of {batch_size}', f'to set {last}')
    data.train_dataloader.batch_size = 2
    sampler.update(source_ratio=[1, 1], batch_size=4)
    only(data, True, 'batch_size=2', 'shares out 4')
    sampler.update(source_ratio=[1, 4], batch_size=2)
    assert find(data) == []


def test_a_sampler_without_an_end(data):
    joined(data, [1, 1])
    for train_cfg in (
        dict(type='EpochBasedTrainLoop', max_epochs=1),
        dict(max_epochs=1),
        dict(by_epoch=True, max_epochs=1),
    ):
        data.train_cfg = train_cfg
        only(data, True, 'MultiSourceSampler, which never ends', 'max_iters')
    for train_cfg in (
        dict(type='IterBasedTrainLoop', max_iters=1),
        dict(by_epoch=False, max_iters=1),
    ):
        data.train_cfg = train_cfg
        assert find(data) == []


def test_sets_of_the_source_with_other_classes(data):
    source = data.train_dataloader.dataset
    other = dict(source, metainfo=dict(classes=('dog', 'cat')))
    data.train_dataloader.dataset = dict(
        type='ConcatDataset', datasets=[source, other]
    )
    first = find(data)[0]
    assert first.fatal
    assert 'has the classes dog cat, and the first set' in first.text


def test_masks_that_the_pipeline_wants(data):
    data.train_dataloader.dataset.pipeline = [
        dict(type='LoadAnnotations', with_bbox=True, with_mask=True)
    ]
    only(data, True, 'source', '3 of 3 boxes have no mask', 'annotation 1')
    content = coco('source', 3)
    for item in content['annotations']:
        item['segmentation'] = [[1, 2, 7, 2]]
    put('source', content)
    only(data, True, 'source', '3 of 3 boxes have no polygon of 3 points')
    for item in content['annotations']:
        item['segmentation'] = [[1, 2, 7, 2, 7, 7]]
    put('source', content)
    assert find(data) == []


def test_heads(data):
    data.model = dict(bbox_head=dict(num_classes=80))
    only(data, True, 'model.bbox_head.num_classes=80', 'set it to 2')


def test_target(data):
    target = data.train_cfg.target_dataloader.dataset
    target.pipeline = [dict(type='LoadAnnotations')]
    only(data, False, 'LoadAnnotations')
    target.pipeline = []
    target.img_suffix = '.jpg'
    only(data, True, 'no image found in ')
    target.data_prefix.img = 'nowhere/'
    only(data, True, 'nowhere/ is not a folder')
    target.update(
        type='CocoDataset',
        ann_file='target.json',
        data_prefix=dict(img='target/'),
    )
    target.pop('img_suffix')
    only(data, True, 'comes with 3 labels', 'must be unlabelled')


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


def test_lvis_has_addresses_of_images_and_no_crowds(data):
    for role in ('source', 'test'):
        content = coco(role, 3)
        for image in content['images']:
            name = f'{role}/{image.pop("file_name")}'
            image['coco_url'] = f'http://images.cocodataset.org/{name}'
        for item in content['annotations']:
            del item['iscrowd']
        put(role, content)
    for dataset in (
        data.train_dataloader.dataset,
        data.val_dataloader.dataset,
        data.test_dataloader.dataset,
    ):
        dataset.update(type='LVISV1Dataset', data_prefix=dict(img=''))
    data.test_evaluator[0].type = data.val_evaluator.type = 'LVISMetric'
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


def test_same_images(data):
    target = data.train_cfg.target_dataloader.dataset
    target.data_prefix.img = 'test/'
    only(data, False, 'target and test share 3 images by path')
    target.data_prefix.img = 'source/'
    only(data, True, 'source and target share 3 images by path')


def by_detector(content) -> dict:
    """As tools/pseudo_label.py marks its file."""
    return dict(content, info=dict(pseudo_labels=dict(threshold=0.5)))


def test_a_detector_s_boxes_measure_nothing(data):
    put('test', by_detector(coco('test', 3)))
    only(data, True, 'test.json holds what a detector found', 'AP against')
    data.val_dataloader = dict(data.test_dataloader, batch_size=2)
    assert len(find(data)) == 2  # val and test
    data.val_evaluator = data.test_evaluator = []
    assert find(data) == []


@pytest.mark.parametrize('full', [False, True])
def test_the_target_s_images_with_a_detector_s_boxes(data, full):
    """They are trained on as labelled images, beside the same, unlabelled."""
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
    # They are no images to test on.
    test = data.test_dataloader.dataset
    test.update(ann_file='seen.json', data_prefix=folder)
    put('seen', coco('target', 3))
    data.val_evaluator = data.test_evaluator = dict(type='CocoMetric')
    data.val_dataloader = data.test_dataloader
    assert any('labelled target and test share 3' in t for t in texts())


def test_full_check_reads_the_images(data, capsys, tmp_path):

    def full():
        return check(data, read_images=True, nproc=2).findings

    assert full() == []
    copy = tmp_path / 'target/target1.png'
    whole = copy.read_bytes()
    copy.write_bytes((tmp_path / 'source/source2.png').read_bytes())
    (finding,) = full()
    assert not finding.fatal
    assert 'share 1 images by content' in finding.text
    copy.write_bytes(whole[:45])
    (finding,) = full()
    assert finding.fatal and '1 of 3 images are broken' in finding.text
    (tmp_path / 'target/target0.png').write_bytes(b'')
    (finding,) = full()
    for part in ('2 of 3 images', 'target0.png (', 'target1.png ('):
        assert part in finding.text
    (tmp_path / 'target/target2.png').write_bytes(b'')
    (finding,) = full()  # all of them: then one tells as much
    assert '3 of 3 images are broken: e.g. ./target/target0' in finding.text
    for i in range(3):
        image(tmp_path / f'target/target{i}.png', (80, 9 * i, 0))
    Image.new('RGB', (10, 20)).save('test/test0.png')
    (finding,) = full()
    assert finding.fatal and 'test0.png is 10x20, not 20x10' in finding.text


@pytest.mark.parametrize('full', [False, True])
def test_images_that_exif_turns(data, full):
    """What counts is the size of the image as training loads it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    content = coco('source', 3)
    for entry in content['images']:
        entry['file_name'] = entry['file_name'].replace('png', 'jpg')
        Image.new('RGB', SIZE, (entry['id'], 0, 0)).save(
            f'source/{entry["file_name"]}', exif=exif
        )

    def found():
        return check(data, read_images=full, nproc=1).findings

    put('source', content)  # labelled on the stored pixels, 20x10
    (finding,) = found()
    assert finding.fatal
    assert '3 of 3 images have another size' in finding.text
    assert 'source0.jpg is 10x20, not 20x10: its EXIF orien' in finding.text
    # Those that the config says to load.
    data.train_dataloader.dataset.pipeline = [
        dict(type='LoadImageFromFile', color_type='color_ignore_orientation')
    ]
    (finding,) = found()
    assert not finding.fatal
    data.train_dataloader.dataset.pipeline = []
    for entry in content['images']:
        entry.update(width=10, height=20)
    put('source', content)
    (finding,) = found()
    assert not finding.fatal
    assert '3 of 3 images have an EXIF orientation, e.g. ' in finding.text
    assert 'browse_domains.py' in finding.text


@pytest.mark.parametrize('full', [False, True])
@pytest.mark.parametrize('name', ['source1.png', 'target1.png', 'target1.tif'])
@pytest.mark.parametrize('channels', [1, 3])
def test_images_of_16_bits(data, full, name, channels):
    """OpenCV keeps the upper 8 of 16: a camera's 12 become next to none."""
    role = name[:6]
    Path(role, f'{role}1.png').unlink()
    pixels = np.full((100, 200, channels), 4095, np.uint16)
    pixels[0, 0] = 65535  # a scale bar
    if role == 'source':
        pixels = pixels[:10, :20]
        pixels[0, 0] = 4095

    def found(factor):
        cv2.imwrite(f'{role}/{name}', pixels * factor)
        return check(data, read_images=full, nproc=1).findings

    (finding,) = found(1)
    assert not finding.fatal
    assert '1 of 3 images have more than 8 bits a sample' in finding.text
    assert re.search(f'{name}, whose values end at 1[56] of', finding.text)
    assert found(16) == []
    # As the config loads them: with all bits, and by somebody's own transform.
    loaders = (data.train_dataloader, data.train_cfg.target_dataloader)
    for step in (
        dict(type='LoadImageFromFile', color_type='unchanged'),
        dict(type='LoadMicroscopeImage'),
    ):
        for loader in loaders:
            loader.dataset.pipeline = [step]
        assert found(1) == []


@pytest.mark.parametrize('full', [False, True])
def test_samples_that_opencv_cannot_load(data, full):
    pixels = np.full(SIZE[::-1], 0.5, np.float32)
    Image.fromarray(pixels).save('target/target1.tif')
    (finding,) = check(data, read_images=full, nproc=1).findings
    assert finding.fatal
    assert 'cv2 cannot load target/target1.tif' in finding.text.replace(
        './', ''
    )
    data.train_cfg.target_dataloader.dataset.pipeline = [
        dict(type='LoadImageFromFile', imdecode_backend='tifffile')
    ]
    assert check(data, read_images=full, nproc=1).findings == []


def test_the_quick_check_reads_some_headers(data):
    Image.new('RGB', (10, 20)).save('test/test0.png')
    only(data, True, 'test0.png is 10x20, not 20x10: give the images that')


def write_config(data, **changes) -> Path:
    data.merge_from_dict(changes)
    path = Path('config.py')
    data.dump(path)
    return path


def test_commands(data, monkeypatch, capsys, command):
    """check_data.py prints all; train.py stops before it builds a Runner."""
    path = write_config(data)
    command('check_data.py', path)
    out = capsys.readouterr().out
    for text in (
        'source: 3 images, 3 boxes (cat 2, dog 1)',
        'target: 3 images, no labels',
        'test: 3 images',
        '9/9',
        'No error found.',
    ):
        assert text in out
    with pytest.raises(SystemExit, match='1 error'):
        command(
            'check_data.py',
            path,
            '--fast',
            '--cfg-options',
            'expected_images=500',
        )
    assert 'ERROR: test ./test.json has 3 images' in capsys.readouterr().out

    monkeypatch.setattr(training.Runner, 'from_cfg', lambda cfg: 1 / 0)
    argv = ['train.py', path, '--cfg-options', 'expected_images=500']
    with pytest.raises(SystemExit, match='data check failed') as error:
        command(*argv)
    assert 'data error: test ./test.json has 3' in str(error.value)
    monkeypatch.setenv('RANK', '1')
    with pytest.raises(SystemExit, match='^1$'):
        command(*argv)
    with pytest.raises(ZeroDivisionError):
        command(*argv, '--skip-data-check')

    monkeypatch.delenv('RANK')
    monkeypatch.setattr(testing.Runner, 'from_cfg', lambda cfg: 1 / 0)
    Path('x.pth').touch()
    argv = ['test.py', path, 'x.pth', '--cfg-options']
    argv.append('test_dataloader.dataset.ann_file=source.json')
    with pytest.raises(SystemExit, match='scores with test.json'):
        command(*argv)
    with pytest.raises(ZeroDivisionError):
        command(*argv, '--skip-data-check')
    argv = ['test.py', path, 'x.pth', '--cfg-options', 'test_dataloader=None']
    with pytest.raises(SystemExit, match='has no test_dataloader, so there'):
        command(*argv)


def test_no_second_for_3000_images(data):
    """The sizes of Cityscapes, in its 18 folders."""
    for role, count in (('source', 3000), ('test', 500), ('target', 3000)):
        content = coco(role, count)
        item = content['annotations'][0]
        content['annotations'] = [
            dict(item, id=i + 1, image_id=i % count, category_id=i % 2 + 1)
            for i in range(17 * count)
        ]
        for i, entry in enumerate(content['images']):
            path = Path(role, f'city{i % 18}', f'{i}.png')
            path.parent.mkdir(exist_ok=True)
            path.touch()
            entry['file_name'] = f'city{i % 18}/{i}.png'
        put(role, content)
    for path in Path('target').glob('*.png'):
        path.unlink()
    data.expected_images = 500
    find(data)  # imports
    start = time.process_time()
    assert find(data) == []
    # About 0.4 s; processor time, for machines that do other work too.
    assert time.process_time() - start < 1.5
