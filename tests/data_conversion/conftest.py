"""Miniatures of the publishers' own layouts."""

from pathlib import Path

import pytest

from converting import (
    AACHEN,
    BETAS,
    BOCHUM,
    FRANKFURT,
    KITTI,
    TOOLS,
    coco,
    frame,
    instance_ids,
    photo,
    write,
    xml,
)


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(TOOLS))


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


@pytest.fixture
def any_coco():
    for name in ('a/x.png', 'y.png', 'empty.png'):
        photo(f'mine/images/{name}')
    return write('labels.json', coco())
