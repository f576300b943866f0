"""HIT-UAV: a miniature in the publisher's layout."""

import json

import pytest
from PIL import Image

from da_faster.data_conversion import ConversionError, thermal_drone

CATEGORIES = ['Person', 'Car', 'Bicycle', 'OtherVehicle', 'DontCare']
DAY, NIGHT, LATE = '0_60_30_0_1.jpg', '1_60_30_0_2.jpg', '1_80_90_0_3.jpg'
# By part: file names, and (number of the image, category, box).
PARTS = dict(
    train=(
        [LATE, DAY, NIGHT],
        [
            (0, 0, [1, 2, 3, 4]),
            (1, 1, [5, 6, 7, 8]),
            (1, 3, [0, 0, 9, 9]),
            (2, 2, [2, 2, 4, 4]),
        ],
    ),
    val=(['1_60_30_0_9.jpg'], []),
    test=(
        ['0_70_30_0_4.jpg', '1_70_30_0_5.jpg'],
        [
            (0, 1, [5, 6, 7, 8]),
            (1, 0, [3, 3, 6, 6]),
            (1, 4, [10, 10, 5, 5]),
        ],
    ),
)


@pytest.fixture
def root(tmp_path):
    """Three parts; the names of keys and the ids are the publisher's."""
    folder = tmp_path / 'normal_json'
    (folder / 'annotations').mkdir(parents=True)
    for part, (names, boxes) in PARTS.items():
        (folder / part).mkdir()
        for number, name in enumerate(names):
            shade = 10 * number
            Image.new('L', (40, 32), shade).save(folder / part / name)
        content = dict(
            images=[
                dict(id=i, filename=name, width=40, height=32)
                for i, name in enumerate(names)
            ],
            annotation=[
                dict(id=i, image_id=image, category_id=category, bbox=box)
                for i, (image, category, box) in enumerate(boxes)
            ],
            categories=[
                dict(id=i, name=name, supercategory='Vehicle')
                for i, name in enumerate(CATEGORIES)
            ],
        )
        path = folder / 'annotations' / f'{part}.json'
        path.write_text(json.dumps(content))
    return folder


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def read(path) -> tuple[list, list]:
    """File names, and (file name, class, box, iscrowd)."""
    coco = json.loads(path.read_text())
    assert coco['categories'] == [
        dict(id=1, name='Person'),
        dict(id=2, name='Car'),
        dict(id=3, name='Bicycle'),
    ]
    names = {image['id']: image['file_name'] for image in coco['images']}
    classes = {item['id']: item['name'] for item in coco['categories']}
    return list(names.values()), [
        (
            names[item['image_id']],
            classes[item['category_id']],
            item['bbox'],
            item['iscrowd'],
        )
        for item in coco['annotations']
    ]


def test_day_and_night_are_told_apart(root, tmp_path, command, capsys):
    out = tmp_path / 'out'
    command(
        'dataset_converters/thermal_drone.py', root, '--out', out, '--nproc', 1
    )
    printed = capsys.readouterr().out
    assert 'day: OtherVehicle boxes left out: 1' in printed
    assert (
        'night_test: DontCare boxes, written as iscrowd of each class: 1'
        in printed
    )
    assert read(out / 'day.json') == ([DAY], [(DAY, 'Car', [5, 6, 7, 8], 0)])
    assert read(out / 'night.json') == (
        [NIGHT, LATE],
        [
            (NIGHT, 'Bicycle', [2, 2, 4, 4], 0),
            (LATE, 'Person', [1, 2, 3, 4], 0),
        ],
    )
    test = '1_70_30_0_5.jpg'
    assert read(out / 'night_test.json') == (
        [test],
        [
            (test, 'Person', [3, 3, 6, 6], 0),
            (test, 'Person', [10, 10, 5, 5], 1),
            (test, 'Car', [10, 10, 5, 5], 1),
            (test, 'Bicycle', [10, 10, 5, 5], 1),
        ],
    )
    for split, part in (
        ('day', 'train'),
        ('night', 'train'),
        ('night_test', 'test'),
    ):
        names, _ = read(out / f'{split}.json')
        assert sorted(path.name for path in (out / split).iterdir()) == names
        for name in names:
            copied = (out / split / name).read_bytes()
            assert copied == (root / part / name).read_bytes()


def test_boxes_without_an_image_are_counted_once(root, tmp_path):
    edit(
        root / 'annotations/train.json',
        lambda content: content['annotation'][0].update(image_id=77),
    )
    day, night, test = thermal_drone.convert(
        root, out=tmp_path / 'out', nproc=1
    ).values()
    lost = 'boxes of an image that is not listed left out'
    assert [split.notes[lost] for split in (day, night, test)] == [1, 0, 0]


@pytest.mark.parametrize(
    'gone, sentence',
    [
        ('annotations/test.json', 'test.json is missing: check the path'),
        (f'train/{NIGHT}', f'{NIGHT} is missing: complete the download'),
    ],
)
def test_an_incomplete_download(root, tmp_path, gone, sentence):
    (root / gone).unlink()
    with pytest.raises(ConversionError, match=sentence):
        thermal_drone.convert(root, out=tmp_path / 'out', nproc=1)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('name', ['2_60_30_0_1.jpg', 'a.jpg', '0_/../a.jpg'])
def test_other_names_are_refused(root, tmp_path, name):
    edit(
        root / 'annotations/train.json',
        lambda content: content['images'][0].update(filename=name),
    )
    with pytest.raises(ConversionError, match='must begin with 0_'):
        thermal_drone.convert(root, out=tmp_path / 'out', nproc=1)
    assert not (tmp_path / 'out').exists()
