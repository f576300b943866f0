"""Categories and annotations, as labelling tools write them."""

import pytest

from converting import boxes, fails, load, make_coco, photo, run


def test_categories():
    photo('mine/images/a.jpg')
    kinds = [('none', 'zoo'), ('zoo', 'car'), ('zoo', 'cat'), ('x', 'x')]
    categories = [
        dict(id=i, name=name, supercategory=parent)
        for i, (parent, name) in enumerate(kinds)
    ]
    run(
        'coco_subset', make_coco('a.jpg', categories=categories), 'mine/images'
    )
    names = [
        item['name']
        for item in load('mine/annotations/labels.json')['categories']
    ]
    assert names == ['car', 'cat', 'x']  # a class without boxes stays
    categories[0]['id'], categories[1]['id'] = 1, 0
    labels = make_coco('a.jpg', categories=categories)
    run('coco_subset', labels, 'mine/images', '--name', 'other')
    content = load('mine/annotations/other.json')
    assert boxes(content, 'a.jpg') == [('zoo', 1, 2, 3, 4)]


def test_a_root_category_in_classes():
    photo('mine/images/a.jpg')
    categories = [
        dict(id=0, name='zoo', supercategory='none'),
        dict(id=1, name='car', supercategory='zoo'),
    ]
    labels = make_coco('a.jpg', categories=categories)
    run('coco_subset', labels, 'mine/images', '--classes', 'car', 'zoo')
    content = load('mine/annotations/labels.json')
    assert [c['name'] for c in content['categories']] == ['car', 'zoo']


@pytest.mark.parametrize(
    'given, area, crowd',
    [
        (dict(area=0), 12, 0),
        (dict(area='5'), 5, 0),
        (dict(area=5, iscrowd='0'), 5, 0),
        (dict(area=5, iscrowd='1'), 5, 1),
        (dict(area=5, iscrowd=0, ignore=True), 5, 1),
        (dict(area=5, ignore=0), 5, 0),
    ],
)
def test_area_and_flags(given, area, crowd, capsys):
    """An area of 0 is mended; what is to be ignored stays so, counted."""
    photo('mine/images/a.jpg')
    labels = make_coco('a.jpg', annotations=[
        dict(
            id=1, image_id=0, category_id=1, bbox=[1, 2, 3, 4],
            segmentation=[[1, 2, 4, 2, 4, 6]], **given,
        )
    ])  # fmt: skip
    run('coco_subset', labels, 'mine/images')
    (item,) = load('mine/annotations/labels.json')['annotations']
    assert (item['area'], item['iscrowd']) == (area, crowd)
    assert ('iscrowd' in capsys.readouterr().out) == crowd


def test_no_annotation_can_be_used():
    photo('mine/images/a.jpg')
    labels = make_coco('a.jpg', annotations=[
        dict(id=1, image_id=7, category_id=1, bbox=[1, 2, 3, 4])
    ])  # fmt: skip
    message = fails('coco_subset', labels, 'mine/images')
    assert 'none of its 1 annotations can be used' in message
    assert 'of an image that is not listed left out: 1' in message
