"""The dataset converters, on miniatures of the publishers' own layouts."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.mask import decode

from converting import (
    TOOLS,
    boxes,
    fails,
    files,
    fingerprints,
    load,
    photo,
    run,
    write,
    xml,
)
from da_faster.data_conversion import CocoSplit, ConversionError, summary
from da_faster.data_conversion import kitti as kitti_converter

PREFIX = 'instancesonly_filtered_gtFine_'


# Cityscapes -----------------------------------------------------------------

AACHEN = 'aachen/aachen_000000_000019'
BOCHUM = 'bochum/bochum_000000_000313'
FRANKFURT = 'frankfurt/frankfurt_000000_000294'
BETAS = ('0.005', '0.01', '0.02')


def instance_ids(split, scene, *regions, dtype='uint16'):
    """An instanceIds image: road, and (id, left, top, right, bottom)."""
    ids = np.full((30, 40), 7, dtype)
    for number, left, top, right, bottom in regions:
        ids[top:bottom, left:right] = number
    path = Path(f'city/gtFine/{split}/{scene}_gtFine_instanceIds.png')
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(ids).save(path)
    return path


@pytest.fixture
def city():
    instance_ids(
        'train',
        AACHEN,
        (26, 0, 0, 10, 5),  # cargroup
        (26000, 0, 10, 10, 20),
        (33012, 35, 25, 40, 30),  # at the border; beyond 15 bits
        (24001, 12, 2, 16, 12),
        (24001, 18, 2, 20, 4),  # its second part
        (29000, 20, 10, 25, 15),  # a caravan
        (26001, 20, 20, 24, 24),
        (26001, 26, 20, 28, 21),  # a speck of two pixels
        (25, 30, 0, 31, 1),  # ridergroup
    )
    instance_ids('train', BOCHUM)
    instance_ids('val', FRANKFURT, (31000, 5, 5, 9, 9), (27000, 6, 6, 8, 8))
    for split, scene in (
        ('train', AACHEN),
        ('train', BOCHUM),
        ('val', FRANKFURT),
    ):
        photo(f'city/leftImg8bit/{split}/{scene}_leftImg8bit.png')
        for beta in BETAS:
            photo(
                f'foggy/leftImg8bit_foggy/{split}/{scene}_leftImg8bit_foggy_'
                f'beta_{beta}.png'
            )


def test_cityscapes_boxes(city, capsys):
    run('cityscapes', 'city')
    train = load(f'city/annotations/{PREFIX}train.json')
    name = f'{AACHEN}_leftImg8bit.png'
    assert boxes(train, name) == [
        ('person', 12, 2, 8, 10),
        ('car', 0, 10, 10, 10),
        ('bicycle', 35, 25, 5, 5),
    ]
    assert train['images'][0] == dict(
        id=1, file_name=name, width=40, height=30
    )
    assert [item['area'] for item in train['annotations']] == [44, 100, 25]
    assert {item['iscrowd'] for item in train['annotations']} == {0}
    person = np.zeros((30, 40))
    person[2:12, 12:16] = person[2:4, 18:20] = 1
    assert (decode(train['annotations'][0]['segmentation']) == person).all()
    assert boxes(train, f'{BOCHUM}_leftImg8bit.png') == []
    val = load(f'city/annotations/{PREFIX}val.json')
    # The order of the ids is no matter of which class comes first.
    assert [c['name'] for c in val['categories']] == [
        'person',
        'rider',
        'car',
        'truck',
        'bus',
        'train',
        'motorcycle',
        'bicycle',
    ]
    assert [c['id'] for c in val['categories']] == list(range(1, 9))
    assert [a['category_id'] for a in val['annotations']] == [4, 6]
    # The truck covers the middle of the train.
    assert [a['area'] for a in val['annotations']] == [4, 12]
    out = capsys.readouterr().out
    digest = hashlib.sha256(
        Path(f'city/annotations/{PREFIX}train.json').read_bytes()
    ).hexdigest()
    for line in (
        f'{PREFIX}train: groups (cargroup) left out: 1',
        f'{PREFIX}train: groups (ridergroup) left out: 1',
        f'{PREFIX}train: caravan boxes left out: 1',
        f'{PREFIX}train: instances with a speck of 1 or 2 pixels left out: 1',
        digest,
        '3/3',
    ):
        assert line in out


def test_foggy_files_share_the_labels(city):
    run('cityscapes', 'city')
    run('cityscapes', 'city', '--foggy', 'foggy', '--beta', '0.02')
    folder = Path('foggy/annotations')
    assert sorted(path.name for path in folder.iterdir()) == [
        f'{PREFIX}{split}_foggy_beta_0.02.json' for split in ('train', 'val')
    ]
    clear = load(f'city/annotations/{PREFIX}train.json')
    foggy = load(folder / f'{PREFIX}train_foggy_beta_0.02.json')
    assert foggy['annotations'] == clear['annotations']
    assert files(foggy) == [
        f'{AACHEN}_leftImg8bit_foggy_beta_0.02.png',
        f'{BOCHUM}_leftImg8bit_foggy_beta_0.02.png',
    ]
    before = (folder / f'{PREFIX}val_foggy_beta_0.02.json').read_bytes()
    run('cityscapes', 'city', '--foggy', 'foggy', '--beta', 'all', '--force')
    sizes = {path.name: len(load(path)['images']) for path in folder.iterdir()}
    assert sizes == {
        f'{PREFIX}{split}_foggy_beta_{beta}.json': count
        * (3 if beta == 'all' else 1)
        for split, count in (('train', 2), ('val', 1))
        for beta in (*BETAS, 'all')
    }
    assert (
        folder / f'{PREFIX}val_foggy_beta_0.02.json'
    ).read_bytes() == before


def test_the_names_are_those_of_the_config(city):
    text = (
        TOOLS.parents[1] / 'configs/_base_/datasets/city2foggy.py'
    ).read_text()
    assert f'annotations/{PREFIX}train.json' in text
    assert f'annotations/{PREFIX}val_' in text
    for part in (
        'leftImg8bit/train/',
        'leftImg8bit_foggy/val/',
        'foggy_beta_0.02',
    ):
        assert part in text


def broken_city(case):
    path = Path(f'city/gtFine/val/{FRANKFURT}_gtFine_instanceIds.png')
    image = Path(f'city/leftImg8bit/val/{FRANKFURT}_leftImg8bit.png')
    if case == '8 bit':
        instance_ids('val', FRANKFURT, (26, 0, 0, 4, 4), dtype='uint8')
        return path, 'is not a 16-bit image'
    if case == 'train ids':
        instance_ids('val', FRANKFURT, (13000, 0, 0, 4, 4))
        return path, 'label 13 has no instances'
    if case == 'no image':
        image.unlink()
        return image, 'is missing'
    if case == 'cut image':
        image.write_bytes(image.read_bytes()[:-40])
        return image, 'is not a readable image'
    if case == 'cut labels':
        path.write_bytes(path.read_bytes()[:60])
        return path, 'is not a readable image'
    if case == 'other size':
        photo(image, (20, 30))
        return image, 'is 20x30'
    if case == 'no labels of a city':
        photo(
            'city/leftImg8bit/val/munster/munster_000000_000019_leftImg8bit'
            '.png'
        )
        return Path('munster'), 'has no labels'
    path.unlink()
    return Path('city/gtFine/val'), 'unpack gtFine_trainvaltest.zip'


@pytest.mark.parametrize(
    'case',
    [
        '8 bit',
        'train ids',
        'no image',
        'cut image',
        'cut labels',
        'other size',
        'no labels of a city',
        'no labels',
    ],
)
def test_broken_cityscapes(city, case):
    path, part = broken_city(case)
    message = fails('cityscapes', 'city')
    assert part in message and path.name in message


# PASCAL VOC -----------------------------------------------------------------


@pytest.fixture
def voc():
    for year, names in (
        ('VOC2007', ('000005', '000007', '000012')),
        ('VOC2012', ('2008_000002',)),
    ):
        root = Path('VOCdevkit') / year
        for name in names:
            photo(root / 'JPEGImages' / f'{name}.jpg')
            write(
                root / 'Annotations' / f'{name}.xml',
                xml(('car', 1, 1, 40, 30, 0)),
            )
        write(
            root / 'ImageSets/Main/trainval.txt',
            ''.join(f'{name}\n' for name in names[:2]),
        )
    root = Path('VOCdevkit/VOC2007')
    write(root / 'ImageSets/Main/test.txt', '000012  1\n')
    write(
        root / 'Annotations/000007.xml',
        xml(
            ('car', 5, 6, 10, 20, 0),
            ('person', 2, 2, 3, 3, 1),
            ('dog', 7, 7, 7, 7, 0),
            ('dog', -3, 20, 5, 35, 0),
            ('dog', 41, 3, 50, 9, 0),
            ('head', 3, 3, 9, 9, 0),
        ),
    )
    write(root / 'Annotations/000012.xml', xml())
    return root


def test_voc_boxes(voc, capsys):
    run('voc', voc, 'VOCdevkit/VOC2012', '--splits', 'trainval')
    content = load('VOCdevkit/annotations/trainval.json')
    assert files(content) == [
        'VOC2007/JPEGImages/000005.jpg',
        'VOC2007/JPEGImages/000007.jpg',
        'VOC2012/JPEGImages/2008_000002.jpg',
    ]
    assert boxes(content, 'VOC2007/JPEGImages/000007.jpg') == [
        ('car', 4, 5, 6, 15),
        ('person', 1, 1, 2, 2),
        ('dog', 0, 19, 5, 11),
    ]
    assert boxes(content, 'VOC2007/JPEGImages/000005.jpg') == [
        ('car', 0, 0, 40, 30)
    ]
    assert [item['iscrowd'] for item in content['annotations']] == [
        0,
        0,
        1,
        0,
        0,
    ]
    assert len(content['categories']) == 20
    out = capsys.readouterr().out
    for line in (
        'zero-size boxes left out: 1',
        'head boxes left out: 1',
        'boxes outside the image left out: 1',
        'boxes clipped to the image: 1',
        'boxes marked difficult, written as iscrowd: 1',
    ):
        assert f'trainval: {line}\n' in out


def test_voc_splits_and_classes(voc):
    run('voc', voc, '--classes', 'dog', 'head=person', 'person')
    for split, expected in (
        ('trainval', ['000005', '000007']),
        ('test', ['000012']),
    ):
        content = load(voc / f'annotations/{split}.json')
        assert files(content) == [f'JPEGImages/{n}.jpg' for n in expected]
        assert content['categories'] == [
            dict(id=1, name='dog'),
            dict(id=2, name='person'),
        ]
    assert content['annotations'] == []  # an image without objects stays
    names = [
        box[0]
        for box in boxes(
            load(voc / 'annotations/trainval.json'), 'JPEGImages/000007.jpg'
        )
    ]
    assert names == ['person', 'dog', 'person']


def test_sim10k_has_no_lists(capsys):
    """Its corners may be 0, and its lists are not part of the download."""
    for number in (3384645, 3384646):
        photo(f'sim10k/JPEGImages/{number}.jpg')
        write(
            f'sim10k/Annotations/{number}.xml',
            xml(('car', 0, 3, 20, 10, 0), ('motorbike', 1, 1, 9, 9, 0)),
        )
    run('voc', 'sim10k', '--classes', 'car')
    content = load('sim10k/annotations/all.json')
    assert files(content) == [
        f'JPEGImages/{n}.jpg' for n in (3384645, 3384646)
    ]
    assert boxes(content, 'JPEGImages/3384645.jpg') == [('car', 0, 2, 20, 8)]
    out = capsys.readouterr().out
    assert 'try --first-pixel 0: 2' in out
    assert 'motorbike boxes left out: 2' in out
    run('voc', 'sim10k', '--classes', 'car', '--first-pixel', 0, '--force')
    content = load('sim10k/annotations/all.json')
    assert boxes(content, 'JPEGImages/3384645.jpg') == [('car', 0, 3, 20, 7)]


def test_xml_beside_the_images():
    photo('mine/b.PNG')
    write('mine/b.xml', xml(('cat', 1, 1, 4, 4, 0), size=(0, 0)))
    run('voc', 'mine')
    content = load('mine/annotations/all.json')
    assert files(content) == ['b.PNG']
    assert boxes(content, 'b.PNG') == [('cat', 0, 0, 4, 4)]


@pytest.mark.parametrize(
    'damage, part',
    [
        (
            lambda root: (root / 'Annotations/000005.xml').write_text(
                xml()[:-9]
            ),
            '000005.xml is not a whole VOC annotation',
        ),
        (
            lambda root: (root / 'Annotations/000005.xml').write_text(
                xml(('car', 1, 1, 'nan', 4, 0))
            ),
            '000005.xml is not a whole VOC',
        ),
        (
            lambda root: (root / 'Annotations/000005.xml').write_text(
                xml(size=(30, 40))
            ),
            '000005.xml is for an image of 30x40',
        ),
        (
            lambda root: (root / 'Annotations/000005.xml').unlink(),
            '000005.xml is missing',
        ),
        (
            lambda root: (root / 'JPEGImages/000005.jpg').unlink(),
            '000005.jpg is missing',
        ),
        (
            lambda root: write(root / 'ImageSets/Main/test.txt', '\n'),
            'has no image in test',
        ),
    ],
)
@pytest.mark.parametrize('nproc', [1, 2])
def test_broken_voc(voc, damage, part, nproc):
    run('voc', voc)
    damage(voc)
    assert part in fails('voc', voc, '--force', nproc=nproc)


def test_options_that_cannot_be(voc):
    assert 'Main/vall.txt is missing' in fails('voc', voc, '--splits', 'vall')
    assert 'is not a folder' in fails('voc', 'nowhere')
    message = fails('voc', voc, '--classes', 'Car')
    assert 'labels Car; the files have car' in message
    assert 'give every label once' in fails(
        'voc', voc, '--classes', 'car', 'car=auto'
    )


# KITTI ----------------------------------------------------------------------

REST = '1.65 1.67 3.64 -0.65 1.71 46.70 -1.59'
KITTI = f"""\
Car 0.00 0 -1.58 5.50 7.25 10.00 20.00 {REST}
Pedestrian 0.00 2 0.21 1.00 2.00 3.00 9.00 {REST}
Person_sitting 0.00 2 0.21 1.00 2.00 3.00 9.00 {REST}
Cyclist 0.00 2 0.21 30.00 2.00 41.00 9.00 {REST}
DontCare -1 -1 -10 3.00 1.00 9.00 4.00 -1 -1 -1 -1000 -1000 -1000 -10
"""


@pytest.fixture
def kitti():
    root = Path('kitti/training')
    for number, text in (
        ('000000', KITTI),
        ('000007', ''),
        ('000010', KITTI.split('\n')[0]),
    ):
        photo(root / f'image_2/{number}.png')
        write(root / f'label_2/{number}.txt', text)
    return root


def test_kitti(kitti, capsys):
    run('kitti', 'kitti')
    content = load('kitti/annotations/trainval.json')
    assert files(content) == ['000000.png', '000007.png', '000010.png']
    # Counted from 0: no pixel is taken off.
    assert boxes(content, '000000.png') == [('car', 5.5, 7.25, 4.5, 12.75)]
    assert content['categories'] == [dict(id=1, name='car')]
    assert 'trainval: DontCare boxes left out: 1' in capsys.readouterr().out
    write('kitti/ImageSets/train.txt', '000010\n000007\n')
    write('kitti/ImageSets/val.txt', '000000\n')
    run(
        'kitti',
        'kitti',
        '--force',
        '--classes',
        'Cyclist=rider',
        'Car=car',
        'Tram=train',
    )
    content = load('kitti/annotations/val.json')
    assert boxes(content, '000000.png') == [
        ('car', 5.5, 7.25, 4.5, 12.75),
        ('rider', 30, 2, 10, 7),
    ]
    assert [c['name'] for c in content['categories']] == [
        'rider',
        'car',
        'train',
    ]
    assert files(load('kitti/annotations/train.json')) == [
        '000010.png',
        '000007.png',
    ]


@pytest.mark.parametrize(
    'line, part',
    [
        ('Car 0.00 0 -1.58 5.50', 'line 6 (5 values, not 15)'),
        (f'Car 0 0 0 1 2 x 4 {REST}', 'broken at line 6'),
        (f'Car 0 0 0 1 2 inf 4 {REST}', 'line 6 (a corner is not finite)'),
    ],
)
def test_broken_kitti(kitti, line, part):
    write(kitti / 'label_2/000000.txt', KITTI + line)
    message = fails('kitti', 'kitti')
    assert '000000.txt is broken' in message and part in message


def test_missing_kitti(kitti):
    assert 'no box has one of the labels car; the files have Car' in fails(
        'kitti', 'kitti', '--classes', 'car'
    )
    (kitti / 'image_2/000007.png').unlink()
    assert '000007.png is missing' in fails('kitti', 'kitti')
    write('kitti/ImageSets/train.txt', '000011')
    assert '000011' in fails('kitti', 'kitti', '--splits', 'train')


# BDD100K --------------------------------------------------------------------


def frame(name, time, *labels) -> dict:
    return dict(
        name=name,
        attributes=dict(weather='clear', scene='highway', timeofday=time),
        timestamp=10000,
        labels=[
            dict(
                category=category,
                attributes=dict(occluded=False, truncated=False),
                manualShape=True,
                box2d=dict(zip(('x1', 'y1', 'x2', 'y2'), box)),
                id=i,
            )
            for i, (category, *box) in enumerate(labels)
        ]
        + [
            dict(
                category='lane',
                poly2d=[dict(vertices=[[1, 2], [3, 4]])],
                id=99,
            )
        ],
    )


@pytest.fixture
def bdd():
    frames = [
        frame(
            'b1c66a42-6f7d68ca.jpg',
            'night',
            ('car', 1.5, 2.25, 9.75, 20.5),
            ('motor', 3, 3, 9, 9),
            ('traffic light', 1, 1, 2, 2),
        ),
        frame(
            '0000f77c-6257be58.jpg',
            'daytime',
            ('bike', 3, 3, 50, 9),
            ('person', 5, 5, 5, 9),
        ),
        frame('0000f77c-62c2a288.jpg', 'undefined'),
    ]
    write('bdd/labels/bdd100k_labels_images_train.json', frames)
    new = frame(
        'b1cd1e94-549d0bfe.jpg',
        'night',
        ('pedestrian', 1, 1, 3, 9),
        ('motorcycle', 1, 1, 3, 9),
    )
    empty = dict(new, name='b1cac6a7-04e33135.jpg', labels=None)
    write('bdd/labels/det_20/det_val.json', [new, empty])
    for split, some in (('train', frames), ('val', [new, empty])):
        for item in some:
            photo(f'bdd/images/100k/{split}/{item["name"]}')
    return frames


def test_bdd(bdd, capsys):
    run('bdd100k', 'bdd', '--timeofday', 'night')
    train = load('bdd/annotations/train_night.json')
    assert files(train) == ['b1c66a42-6f7d68ca.jpg']
    assert boxes(train, files(train)[0]) == [
        ('car', 1.5, 2.25, 8.25, 18.25),
        ('motorcycle', 3, 3, 6, 6),
    ]
    assert 'train_night: traffic light boxes left out: 1' in (
        capsys.readouterr().out
    )
    val = load('bdd/annotations/val_night.json')
    assert files(val) == ['b1cac6a7-04e33135.jpg', 'b1cd1e94-549d0bfe.jpg']
    assert boxes(val, files(val)[0]) == []
    assert [box[0] for box in boxes(val, files(val)[1])] == [
        'person',
        'motorcycle',
    ]
    run('bdd100k', 'bdd', '--splits', 'train')
    train = load('bdd/annotations/train.json')
    assert files(train) == [
        '0000f77c-6257be58.jpg',
        '0000f77c-62c2a288.jpg',
        'b1c66a42-6f7d68ca.jpg',
    ]
    assert boxes(train, files(train)[0]) == [('bicycle', 3, 3, 37, 6)]
    assert [c['name'] for c in train['categories']] == [
        'person',
        'rider',
        'car',
        'truck',
        'bus',
        'train',
        'motorcycle',
        'bicycle',
    ]


def test_broken_bdd(bdd):
    path = Path('bdd/labels/bdd100k_labels_images_train.json')
    text = path.read_text()
    path.write_text(text[:-50])
    assert f'{path} is not whole json' in fails('bdd100k', 'bdd')
    path.write_text('{"images": []}')
    assert 'is not a list of frames' in fails('bdd100k', 'bdd')
    path.write_text(text.replace('"x1": 1.5', '"x1": "left"'))
    assert 'broken at b1c66a42-6f7d68ca.jpg' in fails('bdd100k', 'bdd')
    path.unlink()
    assert f'{path} is missing' in fails('bdd100k', 'bdd')


# Any COCO file, and a folder ------------------------------------------------


def coco(**changes) -> dict:
    annotations = [
        dict(id=1, image_id=9, category_id=3, bbox=[1, 2, 3, 4], area=12),
        dict(id=2, image_id=9, category_id=1, bbox=[-5, 5, 10, 10], area=99),
        dict(id=3, image_id=9, category_id=1, bbox=[5, 5, 0, 10], area=0),
        dict(id=4, image_id=9, category_id=1, bbox=[50, 5, 5, 10], area=50),
        dict(id=5, image_id=77, category_id=1, bbox=[5, 5, 5, 5], area=25),
        dict(id=6, image_id=9, category_id=8, bbox=[5, 5, 5, 5], area=25),
        dict(
            id=7,
            image_id=9,
            category_id=1,
            bbox=[5, 5, float('nan'), 5],
            area=25,
        ),
        dict(
            id=8,
            image_id=4,
            category_id=2,
            bbox=[5, 5, 5, 5],
            area=7,
            segmentation=[[5, 5, 9, 9, 5, 9]],
            iscrowd=1,
        ),
    ]
    return dict(
        dict(
            info={},
            images=[
                dict(id=9, file_name='a/x.png', width=40, height=30),
                dict(id=4, file_name='y.png'),
                dict(id=2, file_name='empty.png', width=40, height=30),
            ],
            annotations=annotations,
            categories=[
                dict(id=1, name='cat'),
                dict(id=2, name='dog'),
                dict(id=3, name='auto'),
            ],
        ),
        **changes,
    )


@pytest.fixture
def any_coco():
    for name in ('a/x.png', 'y.png', 'empty.png'):
        photo(f'mine/images/{name}')
    return write('labels.json', coco())


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


def test_image_folder():
    for name in ('b.JPG', 'a/c.png', 'a/b.png'):
        photo(f'mine/images/{name}')
    write('mine/images/notes.txt', 'x')
    run('image_folder', 'mine/images')
    content = load('mine/annotations/images.json')
    assert files(content) == ['a/b.png', 'a/c.png', 'b.JPG']
    assert content['annotations'] == []
    assert content['images'][2] == dict(
        id=3, file_name='b.JPG', width=40, height=30
    )
    run(
        'image_folder',
        'mine/images',
        '--every',
        2,
        '--suffix',
        '.png',
        '--name',
        'some',
    )
    assert files(load('mine/annotations/some.json')) == ['a/b.png']
    write('mine/images/d.png', '<html>')
    assert 'd.png is not a readable image' in fails(
        'image_folder', 'mine/images', '--name', 'other'
    )
    assert 'holds no image (.gif)' in fails(
        'image_folder', 'mine/images', '--name', 'g', '--suffix', '.gif'
    )


# What all share -------------------------------------------------------------

COMMANDS = {
    'city': ('cityscapes', 'city'),
    'voc': ('voc', 'VOCdevkit/VOC2007'),
    'kitti': ('kitti', 'kitti'),
    'bdd': ('bdd100k', 'bdd'),
    'any_coco': ('coco_subset', 'labels.json', 'mine/images'),
}


@pytest.mark.parametrize('data', COMMANDS)
def test_same_bytes_and_no_overwriting(data, request):
    request.getfixturevalue(data)
    run(*COMMANDS[data], '--out', 'one')
    run(*COMMANDS[data], '--out', 'two', nproc=3)
    names = sorted(path.name for path in Path('one').iterdir())
    assert names == sorted(path.name for path in Path('two').iterdir())
    for name in names:
        assert Path('one', name).read_bytes() == Path('two', name).read_bytes()
    write('two/other.json', 'kept')
    assert 'exists: give --force' in fails(*COMMANDS[data], '--out', 'two')
    run(*COMMANDS[data], '--out', 'two', '--force')
    assert Path('two/other.json').read_text() == 'kept'
    Path('file').touch()
    assert 'was not written' in fails(*COMMANDS[data], '--out', 'file/sub')


def test_full_disk(voc, monkeypatch):
    """An error while writing leaves the earlier files and no others."""
    run('voc', voc)
    save = CocoSplit.save

    def fail(split, path):
        save(split, path)
        if 'trainval' not in path.name:
            raise OSError('no space left')

    monkeypatch.setattr(CocoSplit, 'save', fail)
    assert 'was not written: no space left' in fails('voc', voc, '--force')


def test_command(voc):
    """From outside, with an error in a process of its own."""
    command = [sys.executable, str(TOOLS / 'voc.py'), str(voc), '--nproc', '2']
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'trainval.json' in done.stdout and 'SHA-256' in done.stdout
    (voc / 'Annotations/000007.xml').write_text('<annotation>')
    before = fingerprints()
    done = subprocess.run(
        command + ['--force'], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count('\n') == 1 and '000007.xml' in done.stderr
    assert fingerprints() == before


def test_from_python(kitti, capsys):
    """As the docstring of the package shows."""
    written = kitti_converter.convert('kitti', classes=['Car=car', 'Van=car'])
    path = Path('kitti/annotations/trainval.json')
    assert list(written) == [path]
    assert written[path].content() == load(path)
    assert written[path].count_boxes() == dict(car=2)
    assert [
        line.split()[:3] for line in summary(written).splitlines()[:2]
    ] == [['annotations', 'images', 'car'], ['trainval.json', '3', '2']]
    # The command prints the summary; convert shows its progress alone.
    assert 'SHA-256' not in capsys.readouterr().out
    with pytest.raises(ConversionError, match='give --force to replace it'):
        kitti_converter.convert('kitti')
    with pytest.raises(ConversionError, match='--nproc must be at least 1'):
        kitti_converter.convert('kitti', force=True, nproc=0)
    # An error of another process arrives as it was raised.
    Path('kitti/training/label_2/000007.txt').write_text('Auto')
    with pytest.raises(ConversionError, match='000007.txt is broken at'):
        kitti_converter.convert('kitti', force=True, nproc=2)
