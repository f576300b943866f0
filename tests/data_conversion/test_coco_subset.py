"""Any COCO file, made clean."""

import json

import pytest

from converting import boxes, coco, fails, files, load, run, write


def test_coco_subset(any_coco, capsys):
    run(
        'coco_subset',
        any_coco,
        'mine/images',
        '--classes',
        'auto=car',
        'cat',
        'dog=cat',
    )
    content = load('mine/annotations/labels.json')
    assert content['categories'] == [
        dict(id=1, name='car'),
        dict(id=2, name='cat'),
    ]
    assert files(content) == ['a/x.png', 'y.png', 'empty.png']
    assert boxes(content, 'a/x.png') == [
        ('car', 1, 2, 3, 4),
        ('cat', 0, 5, 5, 10),
    ]
    last = content['annotations'][-1]
    assert (last['area'], last['iscrowd']) == (7, 1)
    assert content['annotations'][1]['area'] == 50  # of the clipped box
    out = capsys.readouterr().out
    for line in (
        'zero-size boxes left out: 1',
        'boxes outside the image left out: 1',
        'boxes clipped to the image: 1',
        'boxes that are not finite left out: 1',
        'boxes of an image that is not listed left out: 1',
        'boxes of a category that is not listed left out: 1',
    ):
        assert f'labels: {line}\n' in out


def test_coco_keeps_all_classes_in_order(any_coco):
    run('coco_subset', any_coco, 'mine/images', '--name', 'all')
    content = load('mine/annotations/all.json')
    assert [c['name'] for c in content['categories']] == ['cat', 'dog', 'auto']


@pytest.mark.parametrize(
    'text, part',
    [
        (json.dumps(coco())[:-30], 'is not whole json'),
        ('[]', 'is not a COCO annotation file'),
        (
            coco(annotations=[*coco()['annotations'], dict(id=9, image_id=9)]),
            "KeyError('category_id') at annotation 9",
        ),
        (
            coco(annotations=[dict(id=1, image_id=9, category_id=1)]),
            'annotations can be used (annotations without a box left out: 1)',
        ),
        (
            coco(categories=[dict(id=1, name='cat'), dict(id=1, name='dog')]),
            'two categories have one id',
        ),
        (
            coco(images=coco()['images'] * 2),
            'has the id 9 for a/x.png and for a/x.png',
        ),
        (
            coco(
                annotations=[
                    dict(a, category_id=a['category_id'] - 1)
                    for a in coco()['annotations'][:4]
                ]
            ),
            'has 3 of 4 boxes of category_id 0',
        ),
        (
            coco(
                images=[dict(id=9, file_name='a/x.png', width=30, height=40)]
            ),
            'is 40x30, but its annotations are for 30x40',
        ),
        (
            coco(
                images=[dict(id=9, file_name='a/z.png', width=40, height=30)]
            ),
            'z.png is missing',
        ),
    ],
)
def test_broken_coco(any_coco, text, part):
    write(any_coco, text)
    message = fails('coco_subset', any_coco, 'mine/images')
    assert part in message


def test_coco_options(any_coco):
    assert 'has no category car' in fails(
        'coco_subset', any_coco, 'mine/images', '--classes', 'car'
    )
    source = write('mine/annotations/x.json', coco())
    assert 'give another --name' in fails(
        'coco_subset', source, 'mine/images', '--force'
    )
