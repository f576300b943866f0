"""Layouts of VOC, and what tools write into xml files."""

from pathlib import Path

import pytest

from converting import (
    CAR,
    boxes,
    fails,
    files,
    load,
    make_voc,
    photo,
    run,
    write,
    xml,
)


@pytest.mark.parametrize(
    'layout',
    [
        ('Annotations/a.xml', 'JPEGImages/a.jpg'),
        ('annotations/xmls/a.xml', 'images/a.png'),
        ('labels/a.xml', 'imgs/a.JPG'),
        ('a.xml', 'a.jpg'),
        ('day 1/a.xml', 'day 1/a.jpg'),
        ('Annotations/day/a.xml', 'JPEGImages/day/a.jpg'),
    ],
)
def test_layouts_of_voc(layout):
    labels, image = layout
    write(f'mine/{labels}', xml(CAR))
    photo(f'mine/{image}')
    run('voc', 'mine', '--classes', 'car')
    content = load('mine/annotations/all.json')
    assert boxes(content, image) == [('car', 0, 0, 4, 4)]


@pytest.mark.parametrize(
    'labels, image',
    [
        ('{}/a.xml', '{}/a.jpg'),
        ('annotations/{}/a.xml', 'images/{}/a.jpg'),
        ('{}/annotations/a.xml', '{}/images/a.jpg'),
    ],
)
def test_splits_in_folders(labels, image):
    for part in ('train', 'valid', 'test'):
        write('mine/' + labels.format(part), xml(CAR))
        photo('mine/' + image.format(part))
    run('voc', 'mine', '--classes', 'car')
    for part in ('train', 'valid', 'test'):
        content = load(f'mine/annotations/{part}.json')
        assert files(content) == [image.format(part)]


def test_lists_name_images_in_several_ways():
    make_voc('a', 'b 1', 'c')
    write('mine/ImageSets/Main/train.txt', '"b 1"\na.jpg\nc  1\nb 1\n')
    run('voc', 'mine', '--classes', 'car')
    content = load('mine/annotations/train.json')
    names = ['images/b 1.jpg', 'images/a.jpg', 'images/c.jpg']
    assert files(content)[:3] == names


def test_lists_of_other_names_are_followed():
    """ "all" would train on images that a list keeps for testing."""
    make_voc('a', 'b')
    for name, text in (('Train', 'a'), ('Test', 'b'), ('car_Test', 'b 1')):
        write(f'mine/ImageSets/Main/{name}.txt', text)
    run('voc', 'mine', '--classes', 'car')
    names = sorted(p.name for p in Path('mine/annotations').glob('*.json'))
    assert names == ['Test.json', 'Train.json']
    Path('mine').rename('VOC2007')
    Path('kit').mkdir()
    Path('VOC2007').rename('kit/VOC2007')
    message = fails('voc', 'kit', '--classes', 'car')
    assert message.endswith('Main is there: give kit/VOC2007.')


@pytest.mark.parametrize(
    'size',
    [
        '',
        '<size></size>',
        '<size><width>40.0</width><height>30.0</height></size>',
        '<size><width></width><height>30</height></size>',
        '<size><width>0</width><height>0</height></size>',
    ],
)
def test_the_image_knows_its_size(size):
    make_voc('a')
    text = xml(CAR)
    start, end = text.index('<size>'), text.index('</size>') + len('</size>')
    write('mine/annotations/a.xml', text[:start] + size + text[end:])
    run('voc', 'mine', '--classes', 'car')
    (image,) = load('mine/annotations/all.json')['images']
    assert (image['width'], image['height']) == (40, 30)


@pytest.mark.parametrize(
    'old, new, part',
    [
        ('<width>40', '<width>40.5', 'is for an image of 40.5x30'),
        ('<width>40', '<width>wide', 'could not convert string to float'),
        ('<name>car</name>', '<name> </name>', 'object 1 has no name'),
        ('<xmin>1</xmin>', '', 'object 1 has no bndbox'),
        ('<xmin>1<', '<xmin>x<', 'object 1: could not convert'),
    ],
)
def test_broken_xml(old, new, part):
    make_voc('a')
    write('mine/annotations/a.xml', xml(CAR).replace(old, new))
    assert part in fails('voc', 'mine', '--classes', 'car')


def test_two_images_of_one_name(capsys):
    make_voc('a')
    photo('mine/images/b.jpg')
    run('voc', 'mine', '--classes', 'car')
    out = capsys.readouterr().out
    assert 'all: images without an xml file left out: 1\n' in out
    photo('mine/images/a.png')
    message = fails('voc', 'mine', '--classes', 'car', '--force')
    assert 'a.jpg and mine/images/a.png have the same name' in message
