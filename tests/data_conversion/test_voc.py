"""PASCAL VOC's layout, with lists of images and without."""

import pytest

from converting import boxes, fails, files, load, photo, run, write, xml


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
    """Sim10k has corners of 0, and the download has no lists."""
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
