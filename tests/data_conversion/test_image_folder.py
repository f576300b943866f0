"""A folder of images without labels."""

from converting import fails, files, load, photo, run, write


def test_image_folder():
    for name in ('b.JPG', 'a/c.png', 'a/b.png'):
        photo(f'mine/images/{name}')
    write('mine/images/notes.txt', 'x')
    run('image_folder', 'mine/images')
    content = load('mine/annotations/images.json')
    assert files(content) == ['a/b.png', 'a/c.png', 'b.JPG']
    assert content['annotations'] == []
    assert content['images'][2] == dict(
        id=3, file_name='b.JPG', width=40, height=30
    )
    run(
        'image_folder',
        'mine/images',
        '--every',
        2,
        '--suffix',
        '.png',
        '--name',
        'some',
    )
    assert files(load('mine/annotations/some.json')) == ['a/b.png']
    write('mine/images/d.png', '<html>')
    assert 'd.png is not a readable image' in fails(
        'image_folder', 'mine/images', '--name', 'other'
    )
    assert 'holds no image (.gif)' in fails(
        'image_folder', 'mine/images', '--name', 'g', '--suffix', '.gif'
    )
