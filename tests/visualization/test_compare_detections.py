import json

import numpy as np
import pytest
from PIL import Image

from da_faster.visualization.detections import assess, match, typical


def box(x: float, category: int = 1) -> dict:
    return dict(bbox=[x, 0, 10, 10], category_id=category)


@pytest.mark.parametrize(
    'detections, truth, found',
    [
        ([box(0)], [box(0)], [True]),
        ([box(3)], [box(0)], [True]),  # IoU 7 / 13
        ([box(4)], [box(0)], [False]),  # IoU 6 / 14
        ([box(0, 2)], [box(0)], [False]),
        (
            [box(1), box(0)],
            [box(0)],
            [True, False],
        ),  # found once, by the first
        ([box(0), box(0)], [box(0), box(1)], [True, True]),
        ([], [box(0)], []),
        ([box(0)], [], [False]),
    ],
)
def test_match(detections, truth, found):
    assert [i is not None for i in match(detections, truth)] == found


def test_match_names_the_object():
    assert match([box(20), box(50), box(0)], [box(0), box(20)]) == [1, None, 0]


def test_crowds_are_neither_missed_nor_wrong():
    crowd = dict(bbox=[40, 0, 20, 20], category_id=1, iscrowd=1)
    found = [box(0), box(45), box(55), box(70)]
    outcome = assess(found, [box(0), box(20), crowd])
    # The second lies in the crowd, the third by half.
    assert outcome.detections == [box(0), box(70)]
    assert outcome.matched == [0, None]
    assert str(outcome) == '1 of 2 found, 1 false alarm'


@pytest.mark.parametrize(
    'gains, num, chosen',
    [
        # The mean is 2.
        ([0, 2, 4, 1, 3], 1, [1]),
        ([0, 2, 4, 1, 3], 3, [1, 3, 4]),
        ([0, 2, 4, 1, 3], 9, [0, 1, 2, 3, 4]),
        # Equally near: evenly.
        ([0] * 9, 1, [4]),
        ([0] * 9, 3, [2, 4, 6]),
        ([5, -5], 1, [0]),
    ],
)
def test_typical_images(gains, num, chosen):
    assert typical(gains, num) == chosen


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
        (('--titles', 'one'), 'give one each'),
    ):
        with pytest.raises(SystemExit, match=sentence):
            command(*argv, *options)
    for other in (
        dict(result[0], image_id=7),
        dict(result[0], category_id=7),
        dict(box(0), image_id=0),
    ):
        (tmp_path / 'other.json').write_text(json.dumps([other]))
        with pytest.raises(SystemExit, match='other.json has a detection of'):
            command(*argv[:3], 'none.json', 'other.json')
    # More images than there are, and a folder that is missing.
    command(*argv, '--num', 500, '--out', 'new/out.png')
    assert Image.open('new/out.png').size == Image.open('out.png').size
    with pytest.raises(SystemExit, match='r.json.*not COCO detections'):
        command(tool, 'r.json', '.', 'none.json', 'r.json')
    with pytest.raises(SystemExit, match='0.png does not exist'):
        command(tool, 'test.json', 'new', 'none.json', 'r.json')
    with pytest.raises(SystemExit, match='nowhere.json does not exist'):
        command(*argv[:3], 'nowhere.json', 'r.json')
