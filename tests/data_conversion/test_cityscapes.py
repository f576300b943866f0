"""Cityscapes, clear and foggy, in the layout of its publisher."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from pycocotools.mask import decode

from converting import (
    AACHEN,
    BETAS,
    BOCHUM,
    FRANKFURT,
    PREFIX,
    TOOLS,
    boxes,
    fails,
    files,
    instance_ids,
    load,
    photo,
    run,
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
