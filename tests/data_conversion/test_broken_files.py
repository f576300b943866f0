"""Several broken files in one run, and --skip-broken."""

from pathlib import Path

import pytest

from converting import (
    fails,
    files,
    load,
    make_coco,
    make_voc,
    photo,
    run,
    write,
)
from da_faster.data_conversion import ConversionError
from da_faster.data_conversion import voc as voc_converter


@pytest.mark.parametrize('nproc', [1, 2])
def test_all_broken_files_are_named_in_one_run(nproc):
    make_voc('a', 'b', 'c', 'd')
    write('mine/images/a.jpg', 'no image')
    write('mine/annotations/c.xml', '<annotation>')
    Path('mine/images/d.jpg').unlink()
    with pytest.raises(ConversionError) as error:
        voc_converter.convert('mine', classes=['car'], nproc=nproc)
    one, two, three, last = str(error.value).split('\n')
    assert 'a.jpg is not a readable image' in one
    assert 'c.xml is not a whole VOC annotation' in two
    assert 'd.jpg is missing' in three
    assert last == (
        '3 of 4 images cannot be used, see above: mend them, or leave them '
        'out with --skip-broken.'
    )
    assert not Path('mine/annotations/all.json').exists()


def test_broken_files_are_left_out_with_skip_broken(capsys):
    make_voc('a', 'b', 'c')
    write('mine/images/a.jpg', 'no image')
    assert fails('voc', 'mine', '--classes', 'car').endswith(
        '--skip-broken leaves it out.'
    )
    run('voc', 'mine', '--classes', 'car', '--skip-broken')
    content = load('mine/annotations/all.json')
    assert files(content) == ['images/b.jpg', 'images/c.jpg']
    assert [i['id'] for i in content['images']] == [1, 2]
    out = capsys.readouterr().out
    assert 'all: broken images left out: 1\n' in out
    assert 'all: left out: mine/images/a.jpg is not a readable' in out


def test_one_sentence_where_all_files_are_broken():
    make_voc('a', 'b')
    for name in 'ab':
        write(f'mine/images/{name}.jpg', 'no image')
    message = fails('voc', 'mine', '--classes', 'car')
    assert message.startswith('none of 2 images can be used: mine/images/a')
    message = fails('voc', 'mine', '--classes', 'car', '--skip-broken')
    assert 'all has no image that can be used, e.g. mine/images/a' in message


def test_cityscapes_has_no_skip_broken():
    photo('city/gtFine/train/a/a_gtFine_instanceIds.png')
    photo('city/gtFine/val/a/a_gtFine_instanceIds.png')
    assert 'skip-broken' not in fails('cityscapes', 'city')


@pytest.mark.parametrize('command', ['image_folder', 'coco_subset'])
def test_skip_broken_of_other_commands(command):
    for name in 'ab':
        photo(f'mine/images/{name}.jpg')
    write('mine/images/b.jpg', 'no image')
    write('mine/images/c.jpg', 'no image')
    labels = [make_coco('a.jpg', 'b.jpg', 'c.jpg')] * (
        command == 'coco_subset'
    )
    run(command, *labels, 'mine/images', '--skip-broken', '--name', 'x')
    assert files(load('mine/annotations/x.json')) == ['a.jpg']


def test_too_large_an_image(monkeypatch):
    """Pillow refuses such images with an error of its own kind."""
    make_voc('a', 'b')
    photo('mine/images/b.jpg', (60, 60))
    monkeypatch.setattr('PIL.Image.MAX_IMAGE_PIXELS', 1500)
    message = fails('voc', 'mine', '--classes', 'car')
    assert 'b.jpg is too large' in message and 'cut it into tiles' in message
