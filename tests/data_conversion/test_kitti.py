"""Labels in KITTI's format."""

import pytest

from converting import (
    KITTI,
    REST,
    boxes,
    fails,
    files,
    load,
    photo,
    run,
    write,
)


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


def test_kitti_with_other_images_and_classes(capsys):
    for name in ('image_2/a.jpg', 'image_2/day/b.PNG', 'image_2/c.jpg'):
        photo(f'mine/{name}')
    rest = '-1 ' * 7
    write('mine/label_2/a.txt', f'crate 0 0 0 1.5 2 3 4 {rest}')
    write('mine/label_2/day/b.txt', f'box 0 0 0 5 6 7 8 {rest} 0.9')
    run('kitti', 'mine', '--classes', 'box', 'crate')
    content = load('mine/annotations/trainval.json')
    assert files(content) == ['a.jpg', 'day/b.PNG']
    assert boxes(content, 'a.jpg') == [('crate', 1.5, 2, 1.5, 2)]
    out = capsys.readouterr().out
    assert 'trainval: images without a label file left out: 1\n' in out
    write('mine/label_2/a.txt', f'big crate 0 0 0 1.5 2 3 4 {rest}')
    message = fails('kitti', 'mine', '--classes', 'box', '--force')
    assert 'a.txt is broken at line 1 (could not convert string' in message
    photo('mine/image_2/a.png')
    message = fails('kitti', 'mine', '--classes', 'box', '--force')
    assert 'a.jpg and mine/image_2/a.png have the same name' in message
