"""Names of images, as labelling tools write them."""

import unicodedata
from pathlib import Path

import pytest

from converting import boxes, fails, files, load, make_coco, photo, run


@pytest.mark.parametrize(
    'stated, there',
    [
        ('day\\a.jpg', 'day/a.jpg'),
        ('C:\\Users\\me\\a.jpg', 'a.jpg'),
        ('/home/me/images/a.jpg', 'a.jpg'),
        ('..\\..\\media\\upload\\4\\a.jpg', 'a.jpg'),
        ('/data/local-files/?d=images/a.jpg', 'a.jpg'),
        ('https://example.org/x/a.jpg', 'a.jpg'),
        ('../other/a.jpg', '../other/a.jpg'),
        (unicodedata.normalize('NFC', 'ä.jpg'), 'a\u0308.jpg'),
    ],
)
def test_names_as_tools_write_them(stated, there):
    Path('mine/images').mkdir(parents=True)
    photo(f'mine/images/{there}')
    run('coco_subset', make_coco(stated), 'mine/images')
    content = load('mine/annotations/labels.json')
    assert boxes(content, there) == [('car', 1, 2, 3, 4)]


def test_a_path_of_this_machine_in_another_folder(tmp_path):
    """Labels of clear images, for their foggy copies."""
    clear = photo(tmp_path / 'clear/a.jpg')
    photo('foggy/a.jpg', (40, 20))
    run('coco_subset', make_coco(str(clear)), 'foggy')
    (image,) = load('annotations/labels.json')['images']
    assert (image['file_name'], image['height']) == ('a.jpg', 20)
    run('coco_subset', make_coco(str(clear)), 'clear', '--force')
    assert files(load('annotations/labels.json')) == ['a.jpg']


def test_images_that_cannot_be_found():
    photo('mine/images/a.jpg')
    both = make_coco('/x/1/a.jpg', '/x/2/a.jpg')
    message = fails('coco_subset', both, 'mine/images')
    assert 'by its base name, which several images have' in message
    message = fails('coco_subset', make_coco('images/a.jpg'), 'mine/images')
    assert 'give' in message and message.endswith(
        'mine as the image folder. --skip-broken leaves it out.'
    )
    message = fails('coco_subset', make_coco('A.JPG'), 'mine/images')
    assert 'but mine/images/a.jpg is there' in message
    message = fails('coco_subset', make_coco('1/a.jpg'), 'mine/images')
    assert 'but mine/images/a.jpg is there' in message
    message = fails(
        'coco_subset', make_coco('a.jpg', './a.jpg'), 'mine/images'
    )
    assert 'lists mine/images/a.jpg twice' in message


def test_names_of_addresses():
    """Label Studio's; a file that is really called so comes first."""
    for name in ('my a.jpg', 'my%20b.jpg'):
        photo(f'mine/images/{name}')
    names = ('/data/local-files/?d=x%5Cmy%20a.jpg', 'my%20b.jpg')
    run('coco_subset', make_coco(*names), 'mine/images')
    found = files(load('mine/annotations/labels.json'))
    assert found == ['my a.jpg', 'my%20b.jpg']
    labels = make_coco('data:image/png;base64,' + 'A' * 5000)
    message = fails('coco_subset', labels, 'mine/images', '--name', 'other')
    assert 'an image itself (data:image/png;base64,...)' in message
    message = fails(
        'coco_subset', make_coco(''), 'mine/images', '--name', 'other'
    )
    assert 'file_name is empty' in message


def test_label_files_of_one_name():
    """Tools call the labels of every part by one name."""
    for part in ('train', 'valid'):
        photo(f'mine/{part}/a.jpg')
        labels = make_coco('a.jpg').rename(
            f'mine/{part}/_annotations.coco.json'
        )
        run('coco_subset', labels, f'mine/{part}')
    names = sorted(path.name for path in Path('mine/annotations').iterdir())
    assert names == ['train.json', 'valid.json']
    message = fails('coco_subset', labels, 'mine/valid')
    assert 'give --force to replace it, or another --name.' in message
