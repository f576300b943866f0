"""YOLO's txt format."""

from pathlib import Path

import pytest

from converting import boxes, fails, files, load, photo, run, write

YAML = 'train: images/train\nval: images/val\nnames: [cat, dog]\n'


@pytest.fixture
def yolo() -> Path:
    """Images of 40x30; a box, a box and an outline, nothing."""
    write('mine/data.yaml', YAML)
    for split, name, text in (
        ('train', 'a', '1 0.5 0.5 0.5 0.2\n'),
        ('train', 'b', '0 0.25 0.5 0.5 1\n\n1 0 0 0.1 0 0.1 0.1 0 0.1\n'),
        ('val', 'c', ''),
    ):
        photo(f'mine/images/{split}/{name}.jpg')
        write(f'mine/labels/{split}/{name}.txt', text)
    return Path('mine')


def test_boxes(yolo, capsys):
    run('yolo', yolo)
    content = load('mine/annotations/train.json')
    assert files(content) == ['images/train/a.jpg', 'images/train/b.jpg']
    assert boxes(content, 'images/train/a.jpg') == [('dog', 10, 12, 20, 6)]
    assert boxes(content, 'images/train/b.jpg') == [
        ('cat', 0, 0, 20, 30),
        ('dog', 0, 0, 4, 3),
    ]
    assert [c['name'] for c in content['categories']] == ['cat', 'dog']
    val = load('mine/annotations/val.json')
    assert files(val) == ['images/val/c.jpg'] and val['annotations'] == []
    assert 'train: outlines, written as boxes: 1\n' in capsys.readouterr().out


def test_rounding_leaves_the_image_s_edge_alone(yolo, capsys):
    # 1/3 of 30 pixels with six digits; edges a millionth beyond the image.
    write('mine/labels/train/a.txt', '1 0.166667 0.833334 0.333335 0.333334')
    run('yolo', yolo)
    content = load('mine/annotations/train.json')
    assert boxes(content, 'images/train/a.jpg') == [('dog', 0, 20, 13.33, 10)]
    assert 'clipped' not in capsys.readouterr().out


@pytest.mark.parametrize(
    'line, part',
    [
        ('2 0.5 0.5 0.5 0.2', 'class 2, but the classes are 0 to 1'),
        ('-1 0.5 0.5 0.5 0.2', 'class -1, but'),
        ('0.5 0.5 0.5 0.5 0.2', 'class 0.5, but'),
        ('cat 0.5 0.5 0.5 0.2', 'could not convert string to float'),
        ('1 0.5 0.5 0.5', '4 values, not 5'),
        ('1 0.5 0.5 0.5 0.2 0.9', '6 values, not 5'),
        ('1 0.5 0.5 0.5 1.2', 'a number outside 0 to 1'),
        ('1 20 15 20 6', 'a number outside 0 to 1'),
        ('1 0.5 -0.5 0.5 0.2', 'a number outside 0 to 1'),
        ('1 0.5 nan 0.5 0.2', 'a corner is not finite'),
        ('1,0.5,0.5,0.5,0.2', 'could not convert'),
    ],
)
def test_broken_lines(yolo, line, part):
    write('mine/labels/train/a.txt', f'1 0.5 0.5 0.5 0.2\n{line}\n')
    message = fails('yolo', yolo)
    assert f'train/a.txt is broken at line 2 ({part}' in message


def test_images_without_labels_are_told_from_empty_ones(yolo, capsys):
    photo('mine/images/train/new.jpg')
    run('yolo', yolo)
    said = 'train: images without a label file '
    assert said + 'left out: 1\n' in capsys.readouterr().out
    assert len(load('mine/annotations/train.json')['images']) == 2
    run('yolo', yolo, '--missing-is-empty', '--force')
    assert said + 'taken as empty: 1\n' in capsys.readouterr().out
    content = load('mine/annotations/train.json')
    assert files(content)[2] == 'images/train/new.jpg'


def test_the_same_box_twice(yolo, capsys):
    write('mine/labels/train/a.txt', '1 0.5 0.5 0.5 0.2\n' * 2)
    run('yolo', yolo)
    content = load('mine/annotations/train.json')
    assert len(boxes(content, 'images/train/a.jpg')) == 1
    assert 'a file has twice left out: 1' in capsys.readouterr().out


def test_labels_without_an_image(yolo):
    write('mine/labels/train/gone.txt', '')
    write('mine/labels/train/classes.txt', 'cat\ndog\n')
    write('mine/labels/train/._a.txt', 'x')
    message = fails('yolo', yolo)
    assert 'gone.txt has no image mine/images/train/gone.jpg' in message
    run('yolo', yolo, '--skip-broken')
    assert len(load('mine/annotations/train.json')['images']) == 2
    photo('mine/images/train/a.png')
    assert 'have one label file' in fails('yolo', yolo, '--force')


def test_no_labels_at_all(yolo):
    for path in Path('mine/labels/train').iterdir():
        path.unlink()
    assert 'no image of train has a label file, e.g. ' in fails('yolo', yolo)


@pytest.mark.parametrize(
    'text, part',
    [
        ('names: [cat', 'does not describe a set (while parsing'),
        ('- cat', 'it has no "names:"'),
        ('train: x', 'it has no list "names:"'),
        ('train: x\nnames: cat', 'it has no list "names:"'),
        ('names: [cat]', 'it has none of "train:", "val:" and "test:"'),
        ('train: x\nnames: [cat, no]', 'class 1 is False: write it in quot'),
        ('train: x\nnames: {a: cat}', "class 'a' is 'cat'"),
        ('train: x\nnc: 3\nnames: [cat]', 'nc is 3, but it has 1 names'),
        ('train: [1]\nnames: [cat]', 'train is not a folder or a list'),
        ('train: x\nkpt_shape: [17, 3]\nnames: [cat]', 'are keypoints'),
        ('train: /content/x\nnames: [cat]', 'train: /content/x, which does'),
    ],
)
def test_broken_yaml(yolo, text, part):
    write('mine/data.yaml', text)
    assert part in fails('yolo', yolo)


def test_no_yaml(yolo):
    assert 'data.yaml has no tests: it has train, val' in fails(
        'yolo', yolo, '--splits', 'tests'
    )
    assert 'has no class Dog: it has cat, dog' in fails(
        'yolo', yolo, '--classes', 'Dog'
    )
    Path('mine/data.yaml').rename('mine/one.yaml')
    write('mine/two.yaml', YAML)
    assert 'has one.yaml and two.yaml' in fails('yolo', yolo)
    for path in yolo.glob('*.yaml'):
        path.unlink()
    assert 'mine has no data.yaml: write one' in fails('yolo', yolo)
    write('mine/classes.txt', 'cat\n\ndog\n')
    assert 'has no class in line 2' in fails('yolo', yolo)
    write('mine/classes.txt', 'cat\ndog\n\n')
    run('yolo', yolo)
    names = sorted(path.name for path in Path('mine/annotations').iterdir())
    assert names == ['train.json', 'val.json']


def test_labels_beside_images():
    """The folder of the images may be called images."""
    write('images/classes.txt', 'cat\n')
    photo('images/a.jpg')
    write('images/a.txt', '0 0.5 0.5 0.5 0.2')
    run('yolo', 'images')
    content = load('images/annotations/all.json')
    assert boxes(content, 'a.jpg') == [('cat', 10, 12, 20, 6)]


def test_lists_and_several_places(yolo):
    write('mine/data.yaml', 'train: [a.txt, images/val]\nnames: [cat, dog]')
    write('mine/a.txt', './images/train/b.jpg\n\n')
    run('yolo', yolo)
    assert files(load('mine/annotations/train.json')) == [
        'images/train/b.jpg',
        'images/val/c.jpg',
    ]
    write('mine/a.txt', 'images/train/b.jpg\nimages/train/gone.jpg\n')
    write('mine/labels/train/gone.txt', '')
    assert 'gone.txt has no image' in fails('yolo', yolo, '--force')
