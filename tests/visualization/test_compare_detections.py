import json

import numpy as np
import pytest
from PIL import Image

from da_faster.visualization import compare


def box(x: float, category: int = 1) -> dict:
    return dict(bbox=[x, 0, 10, 10], category_id=category)


def test_picture_is_written(tmp_path, monkeypatch, capsys, command):
    Image.fromarray(np.zeros((20, 40, 3), np.uint8)).save(tmp_path / '0.png')
    truth = dict(
        images=[dict(id=0, file_name='0.png', height=20, width=40)],
        categories=[dict(id=1, name='car')],
        annotations=[dict(box(0), id=1, image_id=0, area=100, iscrowd=0)],
    )
    (tmp_path / 'test.json').write_text(json.dumps(truth))
    result = [dict(box(0), image_id=0, score=0.9)]
    (tmp_path / 'r.json').write_text(json.dumps(result))
    (tmp_path / 'none.json').write_text('[]')
    tool = 'analysis/compare_detections.py'
    argv = [tool, 'test.json', '.', 'none.json', 'r.json', '--out', 'out.png']
    monkeypatch.chdir(tmp_path)
    command(*argv)
    assert 'out.png' in capsys.readouterr().out
    picture = np.asarray(Image.open('out.png').convert('RGB')).astype(int)
    green = np.abs(picture - (0x2E, 0xE6, 0x6B)).sum(-1) < 12
    half = picture.shape[1] // 2
    top = picture.shape[0] * 3 // 4  # the legend is green on both sides
    assert not green[:top, :half].any() and green[:top, half:].any()

    for options, sentence in (
        (('--num', 0), 'num must be at least 1, got 0'),
        (('--img-ids', 7), 'test.json has no image 7'),
        (('--out', 'x.xyz'), 'x.xyz cannot be written'),
        (('--out', 'new/'), 'new/: the file needs a suffix'),
        (('--titles', 'one'), 'give one each'),
    ):
        with pytest.raises(SystemExit, match=sentence):
            command(*argv, *options)
    for other in (
        dict(result[0], image_id=7),
        dict(result[0], category_id=7),
    ):
        (tmp_path / 'other.json').write_text(json.dumps([other]))
        with pytest.raises(SystemExit, match='other.json has a detection of'):
            command(*argv[:3], 'none.json', 'other.json')
    for content in (
        {},
        [1],
        [box(0)],
        [dict(box(0), image_id=0)],
        [dict(result[0], bbox=[1, 2, 3])],
        [dict(result[0], score='0.5')],
        [dict(result[0], score=float('nan'))],
    ):
        (tmp_path / 'other.json').write_text(json.dumps(content))
        with pytest.raises(SystemExit, match='^other.json does not hold COCO'):
            command(*argv[:3], 'none.json', 'other.json')
    # More images than there are, and a folder that is missing.
    command(*argv, '--num', 500, '--out', 'new/out.png')
    assert Image.open('new/out.png').size == Image.open('out.png').size
    with pytest.raises(SystemExit, match='^r.json is not COCO annotations'):
        command(tool, 'r.json', '.', 'none.json', 'r.json')
    with pytest.raises(SystemExit, match='0.png does not exist'):
        command(tool, 'test.json', 'new', 'none.json', 'r.json')
    with pytest.raises(SystemExit, match='nowhere.json does not exist'):
        command(*argv[:3], 'nowhere.json', 'r.json')


def test_titles_and_labels_have_room(tmp_path):
    """The title is not cut off, and a label at the border lies below it."""
    image = Image.fromarray(np.zeros((40, 40, 3), np.uint8))
    image.save(tmp_path / '0.png')
    info = dict(id=0, file_name='0.png', height=40, width=40)
    found = dict(category_id=1, bbox=[0, 0, 20, 20])
    truth = dict(
        images=[info],
        categories=[dict(id=1, name='car')],
        annotations=[dict(found, id=1, image_id=0, area=400, iscrowd=0)],
    )
    files = []
    for name, content in (
        ('truth', truth),
        ('found', [dict(found, image_id=0, score=0.9)]),
    ):
        files.append(str(tmp_path / f'{name}.json'))
        (tmp_path / f'{name}.json').write_text(json.dumps(content))
    out = str(tmp_path / 'x.png')
    compare(files[0], str(tmp_path), files[1:], ['$x_$'], out, num=1)
    picture = np.asarray(Image.open(out).convert('RGB')).astype(int)
    assert (picture[:3] == 255).all()
    # The right half of the image is black; above the image all is grey.
    first = (picture[:, picture.shape[1] * 3 // 4] == 0).all(-1).argmax()
    assert not np.ptp(picture[: first - 3], axis=-1).any()


@pytest.mark.parametrize('ends', [('left', 'right'), ('right', 'left')])
def test_the_image_that_differs_most_is_shown(ends, tmp_path):
    """The brightest of three images has the largest gain or loss."""
    levels = (40, 200, 120)
    for i, level in enumerate(levels):
        image = Image.fromarray(np.full((20, 40, 3), level, np.uint8))
        image.save(tmp_path / f'{i}.png')
    truth = dict(
        images=[
            dict(id=i, file_name=f'{i}.png', height=20, width=40)
            for i in range(3)
        ],
        categories=[dict(id=1, name='car')],
        annotations=[
            dict(box(x), id=2 * i + j, image_id=i, area=100, iscrowd=0)
            for i in range(3)
            for j, x in enumerate((0, 20))
        ],
    )
    # Image 0 differs in one object, image 2 in none. In image 1 each of the
    # two detectors finds another object, so the number found is the same.
    left = ((0, 0), (1, 0), (2, 0))
    right = ((0, 0), (0, 20), (1, 20), (2, 0))
    for name, found in (('truth', truth), ('left', left), ('right', right)):
        if name != 'truth':
            found = [dict(box(x), image_id=i, score=0.9) for i, x in found]
        (tmp_path / f'{name}.json').write_text(json.dumps(found))
    compare(
        str(tmp_path / 'truth.json'),
        str(tmp_path),
        [str(tmp_path / f'{name}.json') for name in ends],
        ends,
        str(tmp_path / 'out.png'),
        num=1,
    )
    picture = np.asarray(Image.open(tmp_path / 'out.png').convert('RGB'))
    shown = [(picture == level).all(-1).mean() > 0.2 for level in levels]
    assert shown == [False, True, False]
