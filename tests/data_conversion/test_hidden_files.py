"""Hidden files and links to folders."""

from pathlib import Path

from converting import files, load, make_voc, photo, run, write
from da_faster.listing import is_hidden, list_files

LEFT_BEHIND = (
    'images/._a.jpg',
    'images/.ipynb_checkpoints/a-checkpoint.jpg',
    'annotations/._a.xml',
    '__MACOSX/images/._a.jpg',
    'images/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg',
)


def test_hidden_files_are_passed_over():
    make_voc('a')
    for name in LEFT_BEHIND:
        write(f'mine/{name}', 'x')
        assert is_hidden(name)
    assert not is_hidden('../a.b/c.jpg')
    run('voc', 'mine', '--classes', 'car')
    run('image_folder', 'mine/images')
    assert files(load('mine/annotations/all.json')) == ['images/a.jpg']
    assert files(load('mine/annotations/images.json')) == ['a.jpg']


def test_hidden_kitti():
    photo('mine/images/a.jpg')
    write('mine/labels/a.txt', f'car 0 0 0 1 2 3 4 {"-1 " * 7}')
    for name in ('images/._a.jpg', 'labels/._a.txt', 'labels/.x/a.txt'):
        write(f'mine/{name}', 'x')
    run('kitti', 'mine', '--classes', 'car')
    assert files(load('mine/annotations/trainval.json')) == ['a.jpg']


def test_links_are_followed_once(tmp_path):
    photo('real/a.jpg')
    Path('mine').mkdir()
    Path('mine/link').symlink_to(tmp_path / 'real')
    Path('real/circle').symlink_to(tmp_path / 'real')
    assert list_files(Path('mine'), ['.JPG']) == [Path('mine/link/a.jpg')]
