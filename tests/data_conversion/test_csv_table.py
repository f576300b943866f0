"""A table with a line for each box."""

from pathlib import Path

import pytest

from converting import boxes, fails, files, load, photo, run, write

HEAD = 'filename,width,height,class,xmin,ymin,xmax,ymax\n'


@pytest.fixture(autouse=True)
def images():
    for name in 'ab':
        photo(f'mine/images/{name}.jpg')


def convert(text, *options) -> dict:
    table = write('mine/boxes.csv', text)
    run('csv_table', table, 'mine/images', '--force', *options)
    return load('mine/annotations/boxes.json')


def refused(text, *options) -> str:
    table = write('mine/boxes.csv', text)
    return fails('csv_table', table, 'mine/images', *options)


@pytest.mark.parametrize(
    'text, options',
    [
        (HEAD + 'a.jpg,40,30,dog,1,2,4.5,6\n', ()),
        ('\ufeffImageID;Label;X1;Y1;X2;Y2\na;dog;1;2;4.5;6\n', ()),
        ('path\tcategory\tx\ty\tw\th\na.jpg\tdog\t1\t2\t3.5\t4\n', ()),
        ('x,y,width,height,image\n1,2,3.5,4,a.jpg\n', ('--label', 'dog')),
        (
            'image_id,bbox,class\na,"[1, 2, 3.5, 4]",dog\n',
            ('--box-format', 'xywh'),
        ),
        ('img,box,class\na,1 2 4.5 6,dog\n', ('--box-format', 'xyxy')),
        (
            'id,what,l,t,r,b\na.jpg,dog,1,2,4.5,6\n',
            ('--columns', 'image=id', 'label=what', 'xmin=l', 'ymin=t',
             'xmax=r', 'ymax=b'),
        ),
        (
            'image,label,x1,y1,x2,y2\na.jpg,dog,.025,.066667,.1125,.2\n',
            ('--relative',),
        ),
        ('image,label,x1,y1,x2,y2,w,h\na,dog,1,2,4.5,6,3.5,4\n', ()),
        ('image,label,left,top,right,bottom\nC:\\x\\a.jpg,dog,1,2,4.5,6', ()),
    ],
)  # fmt: skip
def test_boxes(text, options, capsys):
    content = convert(text, *options)
    assert boxes(content, 'a.jpg') == [('dog', 1, 2, 3.5, 4)]
    assert 'does not name left out: 1\n' in capsys.readouterr().out


def test_classes_and_images_without_objects():
    text = HEAD + (
        'b.jpg,,,No finding,,,,\na.jpg,40,30,dog,1,2,4,6\n'
        'a.jpg,,,cat,5,5,9,9\n'
    )
    content = convert(text)
    assert files(content) == ['b.jpg', 'a.jpg']
    assert boxes(content, 'b.jpg') == []
    assert [c['name'] for c in content['categories']] == ['cat', 'dog']
    content = convert(text, '--classes', 'dog=hound')
    assert boxes(content, 'a.jpg') == [('hound', 1, 2, 3, 4)]


@pytest.mark.parametrize(
    'line, part',
    [
        ('a.jpg,40,30,dog,1,2,4', 'more or fewer values than columns'),
        ('a.jpg,40,30,dog,1,2,4,6,7', 'more or fewer values than columns'),
        ('a.jpg,40,30,dog,1,2,x,6', 'could not convert string to float'),
        ('a.jpg,40,30,dog,1,2,inf,6', 'a corner is not finite'),
        ('a.jpg,40,30,dog,1,2,,6', 'could not convert string to float'),
        ('a.jpg,40,30,,1,2,4,6', 'no label'),
        (',40,30,dog,1,2,4,6', 'no image'),
        ('a.jpg,inf,30,dog,1,2,4,6', 'not finite'),
        ('a.jpg,41,30,dog,1,2,4,6', 'the image has another size before'),
    ],
)
def test_broken_lines(line, part):
    message = refused(HEAD + f'a.jpg,40,30,dog,1,2,4,6\n{line}\n')
    assert 'boxes.csv is broken at line 3 (' in message
    assert part in message


def test_no_box_at_all():
    assert 'no image has a box: check' in refused(HEAD + 'a.jpg,,,,,,,')


def test_broken_lines_of_several_images_are_all_named():
    text = HEAD + 'a.jpg,40,30,dog,1,2,x,6\nb.jpg,40,30,dog,1,2,4,6\nc,1\n'
    with pytest.raises(SystemExit) as error:
        convert(text)
    message = error.value.code
    assert 'at line 2' in message and 'at line 4' in message
    content = convert(text, '--skip-broken')
    assert files(content) == ['b.jpg']


@pytest.mark.parametrize(
    'text, part',
    [
        ('', "has the first line ''"),
        ('a.jpg,1,2,4,6,dog\n', 'has no column for the image, but a.jpg, 1,'),
        ('a.jpg,1,2,2,6,dog\n', "has the first line 'a.jpg,1,2,2,6,dog'"),
        ('image,label,xmin\n', 'has no column for the box, but image, label'),
        ('image,xmin,ymin,xmax,ymax\n', 'has no column for the label'),
        ('image,label,bbox\n', 'say with --box-format whether it is xyxy'),
        ('image,path,label,x,y,w,h\n', 'with --columns image=image'),
    ],
)
def test_unclear_columns(text, part):
    assert part in refused(text)


def test_wrong_options():
    text = HEAD + 'a.jpg,40,30,dog,1,2,4,6\n'
    assert '--columns file=x: give KEY=COLUMN' in refused(
        text, '--columns', 'file=x'
    )
    assert 'so they seem to be in pixels: leave out --relative' in refused(
        text, '--relative'
    )
    text = HEAD + 'a.jpg,40,30,dog,0.1,0.2,0.4,0.6\n'
    assert 'relative to the image: give --relative' in refused(text)
    text = HEAD + 'a.jpg,30,40,dog,1,2,4,6\n'
    assert 'is 40x30, but its annotations are for 30x40' in refused(text)
    assert 'boxes.csv is missing' in fails(
        'csv_table', 'boxes.csv', 'mine/images'
    )
    Path('boxes.csv').write_bytes(b'PK\x03\x04\xff\xfe')
    assert 'export it as csv' in fails('csv_table', 'boxes.csv', 'mine/images')
