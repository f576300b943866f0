"""Boxes that training or evaluation would not use."""

import pytest
from mmdet.registry import DATASETS

from checking import boxes, coco, only, only_in_source, put
from da_faster.data_check import check

FILES = {
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
}


@pytest.mark.parametrize('case', FILES)
def test_findings_in_the_source(data, case):
    only_in_source(
        data,
        *FILES[case],
        also='less than one pixel' if case == 'relative' else None,
    )


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
    used = check(data).used[0]
    boxes = [
        item['bbox'] for item, use in zip(content['annotations'], used) if use
    ]
    assert sorted([x, y, x + w, y + h] for x, y, w, h in boxes) == sorted(
        given
    )


def test_a_few_images_of_many_for_a_trial(data):
    """Boxes that indices leave out are reported, not as an error."""
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
