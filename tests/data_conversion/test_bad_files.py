"""Files that one has: several broken ones, hidden ones, other names."""

import unicodedata
from pathlib import Path

import pytest

from converting import boxes, fails, files, load, photo, run, write, xml
from da_faster.data_conversion import ConversionError
from da_faster.data_conversion import voc as voc_converter
from da_faster.listing import is_hidden, list_files

CAR = ('car', 1, 1, 4, 4, 0)


def voc(*names):
    for name in names:
        photo(f'mine/images/{name}.jpg')
        write(f'mine/annotations/{name}.xml', xml(CAR))


def coco(*names, **more) -> Path:
    """A json of images with a box each."""
    content = dict(
        images=[dict(id=i, file_name=n) for i, n in enumerate(names)],
        annotations=[
            dict(id=i + 1, image_id=i, category_id=1, bbox=[1, 2, 3, 4])
            for i in range(len(names))
        ],
        categories=[dict(id=1, name='car')],
    )
    return write('labels.json', dict(content, **more))


# Several broken files --------------------------------------------------------


@pytest.mark.parametrize('nproc', [1, 2])
def test_all_broken_files_are_named_in_one_run(nproc):
    voc('a', 'b', 'c', 'd')
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


def test_broken_files_are_left_out_where_asked(capsys):
    voc('a', 'b', 'c')
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


def test_where_all_are_broken_one_says_as_much_as_all():
    voc('a', 'b')
    for name in 'ab':
        write(f'mine/images/{name}.jpg', 'no image')
    message = fails('voc', 'mine', '--classes', 'car')
    assert message.startswith('none of 2 images can be used: mine/images/a')
    message = fails('voc', 'mine', '--classes', 'car', '--skip-broken')
    assert 'all has no image that can be used, e.g. mine/images/a' in message


def test_a_set_of_fixed_parts_has_no_such_option():
    photo('city/gtFine/train/a/a_gtFine_instanceIds.png')
    photo('city/gtFine/val/a/a_gtFine_instanceIds.png')
    assert 'skip-broken' not in fails('cityscapes', 'city')


@pytest.mark.parametrize('command', ['image_folder', 'coco_subset'])
def test_the_other_commands_too(command):
    for name in 'ab':
        photo(f'mine/images/{name}.jpg')
    write('mine/images/b.jpg', 'no image')
    write('mine/images/c.jpg', 'no image')
    labels = [coco('a.jpg', 'b.jpg', 'c.jpg')] * (command == 'coco_subset')
    run(command, *labels, 'mine/images', '--skip-broken', '--name', 'x')
    assert files(load('mine/annotations/x.json')) == ['a.jpg']


# VOC -------------------------------------------------------------------------


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
def test_parts_in_folders_stay_apart(labels, image):
    for part in ('train', 'valid', 'test'):
        write('mine/' + labels.format(part), xml(CAR))
        photo('mine/' + image.format(part))
    run('voc', 'mine', '--classes', 'car')
    for part in ('train', 'valid', 'test'):
        content = load(f'mine/annotations/{part}.json')
        assert files(content) == [image.format(part)]


def test_lists_name_images_in_several_ways():
    voc('a', 'b 1', 'c')
    write('mine/ImageSets/Main/train.txt', '"b 1"\na.jpg\nc  1\nb 1\n')
    run('voc', 'mine', '--classes', 'car')
    content = load('mine/annotations/train.json')
    names = ['images/b 1.jpg', 'images/a.jpg', 'images/c.jpg']
    assert files(content)[:3] == names


def test_lists_of_other_names_are_followed():
    """Else "all" would train on what a list keeps for testing."""
    voc('a', 'b')
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
    voc('a')
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
    voc('a')
    write('mine/annotations/a.xml', xml(CAR).replace(old, new))
    assert part in fails('voc', 'mine', '--classes', 'car')


def test_one_name_twice(capsys):
    voc('a')
    photo('mine/images/b.jpg')
    run('voc', 'mine', '--classes', 'car')
    out = capsys.readouterr().out
    assert 'all: images without an xml file left out: 1\n' in out
    photo('mine/images/a.png')
    message = fails('voc', 'mine', '--classes', 'car', '--force')
    assert 'a.jpg and mine/images/a.png have the same name' in message


# Hidden files ----------------------------------------------------------------

LEFT_BEHIND = (
    'images/._a.jpg',
    'images/.ipynb_checkpoints/a-checkpoint.jpg',
    'annotations/._a.xml',
    '__MACOSX/images/._a.jpg',
    'images/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg',
)


def test_hidden_files_are_passed_over():
    voc('a')
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


# Names in label files --------------------------------------------------------


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
    run('coco_subset', coco(stated), 'mine/images')
    content = load('mine/annotations/labels.json')
    assert boxes(content, there) == [('car', 1, 2, 3, 4)]


def test_a_path_of_this_machine_does_not_lead_elsewhere(tmp_path):
    """Labels of clear images, for their foggy copies."""
    clear = photo(tmp_path / 'clear/a.jpg')
    photo('foggy/a.jpg', (40, 20))
    run('coco_subset', coco(str(clear)), 'foggy')
    (image,) = load('annotations/labels.json')['images']
    assert (image['file_name'], image['height']) == ('a.jpg', 20)
    run('coco_subset', coco(str(clear)), 'clear', '--force')
    assert files(load('annotations/labels.json')) == ['a.jpg']


def test_names_that_cannot_be_meant():
    photo('mine/images/a.jpg')
    both = coco('/x/1/a.jpg', '/x/2/a.jpg')
    message = fails('coco_subset', both, 'mine/images')
    assert 'by its base name, which several images have' in message
    message = fails('coco_subset', coco('images/a.jpg'), 'mine/images')
    assert 'give' in message and message.endswith(
        'mine as the image folder. --skip-broken leaves it out.'
    )
    message = fails('coco_subset', coco('A.JPG'), 'mine/images')
    assert 'but mine/images/a.jpg is there' in message
    message = fails('coco_subset', coco('1/a.jpg'), 'mine/images')
    assert 'but mine/images/a.jpg is there' in message
    message = fails('coco_subset', coco('a.jpg', './a.jpg'), 'mine/images')
    assert 'lists mine/images/a.jpg twice' in message


def test_parts_of_a_set_do_not_overwrite_each_other():
    """Tools call the labels of every part by one name."""
    for part in ('train', 'valid'):
        photo(f'mine/{part}/a.jpg')
        labels = coco('a.jpg').rename(f'mine/{part}/_annotations.coco.json')
        run('coco_subset', labels, f'mine/{part}')
    names = sorted(path.name for path in Path('mine/annotations').iterdir())
    assert names == ['train.json', 'valid.json']
    message = fails('coco_subset', labels, 'mine/valid')
    assert 'give --force to replace it, or another --name.' in message


def test_categories():
    photo('mine/images/a.jpg')
    kinds = [('none', 'zoo'), ('zoo', 'car'), ('zoo', 'cat'), ('x', 'x')]
    categories = [
        dict(id=i, name=name, supercategory=parent)
        for i, (parent, name) in enumerate(kinds)
    ]
    run('coco_subset', coco('a.jpg', categories=categories), 'mine/images')
    names = [
        item['name']
        for item in load('mine/annotations/labels.json')['categories']
    ]
    assert names == ['car', 'cat', 'x']  # a class without boxes stays
    categories[0]['id'], categories[1]['id'] = 1, 0
    labels = coco('a.jpg', categories=categories)
    run('coco_subset', labels, 'mine/images', '--name', 'other')
    content = load('mine/annotations/other.json')
    assert boxes(content, 'a.jpg') == [('zoo', 1, 2, 3, 4)]


@pytest.mark.parametrize(
    'given, area, crowd',
    [
        (dict(area=0), 12, 0),
        (dict(area='5'), 5, 0),
        (dict(area=5, iscrowd='0'), 5, 0),
        (dict(area=5, iscrowd='1'), 5, 1),
        (dict(area=5, iscrowd=0, ignore=True), 5, 1),
        (dict(area=5, ignore=0), 5, 0),
    ],
)
def test_what_training_would_pass_over(given, area, crowd, capsys):
    """An area of 0 is mended; what is to be ignored stays so, counted."""
    photo('mine/images/a.jpg')
    labels = coco('a.jpg', annotations=[
        dict(
            id=1, image_id=0, category_id=1, bbox=[1, 2, 3, 4],
            segmentation=[[1, 2, 4, 2, 4, 6]], **given,
        )
    ])  # fmt: skip
    run('coco_subset', labels, 'mine/images')
    (item,) = load('mine/annotations/labels.json')['annotations']
    assert (item['area'], item['iscrowd']) == (area, crowd)
    assert ('iscrowd' in capsys.readouterr().out) == crowd


def test_a_root_category_that_was_asked_for():
    photo('mine/images/a.jpg')
    categories = [
        dict(id=0, name='zoo', supercategory='none'),
        dict(id=1, name='car', supercategory='zoo'),
    ]
    labels = coco('a.jpg', categories=categories)
    run('coco_subset', labels, 'mine/images', '--classes', 'car', 'zoo')
    content = load('mine/annotations/labels.json')
    assert [c['name'] for c in content['categories']] == ['car', 'zoo']


def test_names_of_addresses():
    """Label Studio's; a file that is really called so comes first."""
    for name in ('my a.jpg', 'my%20b.jpg'):
        photo(f'mine/images/{name}')
    names = ('/data/local-files/?d=x%5Cmy%20a.jpg', 'my%20b.jpg')
    run('coco_subset', coco(*names), 'mine/images')
    found = files(load('mine/annotations/labels.json'))
    assert found == ['my a.jpg', 'my%20b.jpg']
    labels = coco('data:image/png;base64,' + 'A' * 5000)
    message = fails('coco_subset', labels, 'mine/images', '--name', 'other')
    assert 'an image itself (data:image/png;base64,...)' in message
    message = fails('coco_subset', coco(''), 'mine/images', '--name', 'other')
    assert 'file_name is empty' in message


def test_no_box_is_left():
    photo('mine/images/a.jpg')
    labels = coco('a.jpg', annotations=[
        dict(id=1, image_id=7, category_id=1, bbox=[1, 2, 3, 4])
    ])  # fmt: skip
    message = fails('coco_subset', labels, 'mine/images')
    assert 'none of its 1 annotations can be used' in message
    assert 'of an image that is not listed left out: 1' in message


# KITTI -----------------------------------------------------------------------


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


def test_too_large_an_image(monkeypatch):
    """Pillow refuses such images with an error of its own kind."""
    voc('a', 'b')
    photo('mine/images/b.jpg', (60, 60))
    monkeypatch.setattr('PIL.Image.MAX_IMAGE_PIXELS', 1500)
    message = fails('voc', 'mine', '--classes', 'car')
    assert 'b.jpg is too large' in message and 'cut it into tiles' in message
