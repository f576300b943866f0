"""The converter of the blood smear pair, on a miniature of both layouts."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from converting import TOOLS, boxes

# The 60 photographs by hand: `printf image-7.png | sha256sum` of every first
# number of a pair and every single one, sorted, until 30 are taken.
TRAIN = [
    7, 12, 17, 20, 25, 30, 31, 32, 33, 34, 37, 45, 46, 55, 59,
    66, 69, 75, 76, 80, 82, 83, 86, 89, 91, 101, 103, 110, 112, 117,
]  # fmt: skip
TEST = [
    10, 11, 14, 19, 22, 24, 36, 44, 48, 49, 51, 52, 61, 65, 68,
    71, 72, 74, 77, 79, 81, 87, 93, 96, 99, 102, 104, 108, 118, 119,
]  # fmt: skip
SPLITS = ('source_train', 'source_test', 'target_train', 'target_test')


def voc(objects, filename='BloodImage.jpg', width=640):
    """A VOC file as BCCD writes it."""
    items = ''.join(
        f'<object><name>{name}</name><pose>Unspecified</pose><bndbox><xmin>'
        f'{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>'
        '</bndbox></object>'
        for name, x1, y1, x2, y2 in objects
    )
    return (
        f'<annotation><filename>{filename}</filename><size><width>{width}'
        '</width><height>480</height><depth>3</depth></size>'
        f'{items}</annotation>'
    )


def rows(number, boxes):
    name = f'image-{number}.png'
    return [(number, name, *corners, label) for label, *corners in boxes]


@pytest.fixture
def raw(tmp_path):
    """Miniature raw folders: (BCCD_DIR, SMEAR_DIR)."""
    bccd, smear = tmp_path / 'raw' / 'BCCD', tmp_path / 'raw' / 'smear'
    for folder in (
        bccd / 'Annotations',
        bccd / 'ImageSets' / 'Main',
        bccd / 'JPEGImages',
        smear / 'images',
    ):
        folder.mkdir(parents=True)
    objects = {
        'BloodImage_00000': [
            ('WBC', 260, 177, 491, 376),
            ('RBC', 1, 1, 640, 480),
            ('Platelets', 5, 5, 40, 45),
            ('RBC', 504, 337, 504, 337),
            ('RBC', -4, 471, 20, 488),
            ('RBC', 650, 10, 660, 20),
            ('RBC', 181, 329, 190, 329),
            ('RBC', 181, 329, 181, 340),
        ],
        'BloodImage_00019': [('RBC', 11, 21, 30, 60)],
        'BloodImage_00020': [('RBC', 11, 21, 30, 60)],
        'BloodImage_00037': [('Platelets', 11, 21, 30, 60)],
    }
    for name, labelled in objects.items():
        filename = 'x' if name == 'BloodImage_00000' else f'{name}.jpg'
        (bccd / 'Annotations' / f'{name}.xml').write_text(
            voc(labelled, filename)
        )
        Image.new('RGB', (640, 480), 'pink').save(
            bccd / 'JPEGImages' / f'{name}.jpg'
        )
    sets = bccd / 'ImageSets' / 'Main'
    (sets / 'trainval.txt').write_text(
        'BloodImage_00037\nBloodImage_00000\nBloodImage_00020\n'
    )
    (sets / 'test.txt').write_text('BloodImage_00019\n')
    Image.new('RGBA', (256, 256), 'green').save(smear / 'images/image-7.png')
    photo = (smear / 'images' / 'image-7.png').read_bytes()
    table = []
    for number in TRAIN + TEST + [106]:
        (smear / 'images' / f'image-{number}.png').write_bytes(photo)
        table += rows(number, [('rbc', 0.25, 0.5, 0.75, 0.625)])
    table += rows(
        10,
        [
            ('rbc', 0.0, 0.0, 0.19946944282380394, 0.16193389002333722),
            ('wbc', -0.1, 0.5, 0.5, 1.1),
            ('wbc', 0.3, 0.3, 0.3, 0.4),
            ('rbc', 1.2, 0.5, 1.5, 0.6),
        ],
    )
    write_csv(smear, table)
    return bccd, smear


def write_csv(smear, table, header='image_id,image,xmin,ymin,xmax,ymax,label'):
    lines = [','.join(map(str, row)) for row in table]
    (smear / 'annotations.csv').write_text('\n'.join([header] + lines) + '\n')


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def convert(raw, tmp_path, monkeypatch):
    """Runs the command in this process and returns the output folder."""
    monkeypatch.syspath_prepend(str(TOOLS))
    import blood_smears

    def run(*options, out=tmp_path / 'out' / 'blood_smears', paths=raw):
        blood_smears.main([*map(str, paths), '--out', str(out), *options])
        return out

    return run


def load(out, split):
    return json.loads((out / 'annotations' / f'{split}.json').read_text())


def fingerprints(out):
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob('*')
        if path.is_file()
    }


def test_source_boxes(convert):
    content = load(convert(), 'source_train')
    assert content['categories'] == [
        dict(id=1, name='RBC'),
        dict(id=2, name='WBC'),
    ]
    assert boxes(content, 'BloodImage_00000.jpg') == [
        ('WBC', 259, 176, 232, 200),  # xmin - 1, ymin - 1; xmax - xmin + 1
        ('RBC', 0, 0, 640, 480),  # from edge to edge
        ('RBC', 0, 470, 20, 10),  # clipped on the left and below
    ]
    assert content['images'][0] == dict(
        id=1, file_name='BloodImage_00000.jpg', width=640, height=480
    )
    assert content['annotations'][0] == dict(
        id=1,
        image_id=1,
        category_id=2,
        bbox=[259, 176, 232, 200],
        area=46400,
        iscrowd=0,
    )
    # A photograph without a shared class stays, without boxes.
    assert boxes(content, 'BloodImage_00037.jpg') == []
    assert [box['id'] for box in content['annotations']] == [1, 2, 3]


def test_target_boxes(convert):
    out = convert()
    content = load(out, 'target_test')
    assert boxes(content, 'image-10.png') == [
        ('RBC', 64, 128, 128, 32),
        ('RBC', 0, 0, 51.06, 41.46),
        ('WBC', 0, 128, 128, 128),
    ]
    assert content['images'][0] == dict(
        id=1, file_name='image-10.png', width=256, height=256
    )


def test_pixel_corners_give_the_same_files(convert, raw, tmp_path):
    relative = convert()
    table = [
        [
            f'"{value}"' if i in (0, 5) else float(value) * 256
            for i, value in enumerate(line.split(',')[1:])
        ]
        for line in (raw[1] / 'annotations.csv').read_text().split()[1:]
    ]
    header = '\ufeff"image","xmin","ymin","xmax","ymax","label"'
    write_csv(raw[1], table, header)
    pixels = convert(out=tmp_path / 'pixels')
    assert fingerprints(pixels) == fingerprints(relative)


def test_splits_and_image_folders(convert):
    out = convert()
    files = {
        split: [image['file_name'] for image in load(out, split)['images']]
        for split in SPLITS
    }
    # 00020 shows a part of 00019, which is a test photograph.
    assert files['source_train'] == [
        'BloodImage_00000.jpg',
        'BloodImage_00037.jpg',
    ]
    assert files['source_test'] == ['BloodImage_00019.jpg']
    assert files['target_train'] == [f'image-{n}.png' for n in TRAIN]
    assert files['target_test'] == [f'image-{n}.png' for n in TEST]
    for folder, expected in (
        ('source', files['source_train'] + files['source_test']),
        ('target/train', files['target_train']),
        ('target/test', files['target_test']),
    ):
        assert {path.name for path in (out / folder).iterdir()} == set(
            expected
        )


def test_pairs_with_a_common_field_share_a_side():
    for pair in ((20, 37), (75, 91), (80, 86), (71, 96), (61, 104), (66, 101)):
        assert set(pair) <= set(TRAIN) or set(pair) <= set(TEST)


def test_report(convert, capsys):
    out = convert()
    report = capsys.readouterr().out
    table = {
        line.split()[0]: line.split()[1:]
        for line in report.splitlines()
        if '.json  ' in line
    }
    digests = {
        split: hashlib.sha256(
            (out / 'annotations' / f'{split}.json').read_bytes()
        ).hexdigest()
        for split in SPLITS
    }
    assert table == {
        'source_train.json': ['2', '2', '1', digests['source_train']],
        'source_test.json': ['1', '1', '0', digests['source_test']],
        'target_train.json': ['30', '30', '0', digests['target_train']],
        'target_test.json': ['30', '31', '1', digests['target_test']],
    }
    assert sorted(report.splitlines()[-8:]) == [
        'source_train: Platelets boxes left out: 2',
        'source_train: boxes clipped to the image: 1',
        'source_train: boxes outside the image left out: 1',
        (
            'source_train: photographs with a part of a test photograph left '
            'out: 1'
        ),
        'source_train: zero-size boxes left out: 3',
        'target_test: boxes clipped to the image: 1',
        'target_test: boxes outside the image left out: 1',
        'target_test: zero-size boxes left out: 1',
    ]
    assert '63/63' in report  # the progress bar


def test_same_bytes_and_overwriting(convert):
    first = convert()
    before = fingerprints(first)
    (first / 'annotations' / 'stale.json').write_text('')
    with pytest.raises(SystemExit, match='exists: give --force'):
        convert()
    assert (first / 'annotations' / 'stale.json').exists()
    assert fingerprints(convert('--force')) == before
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_force_never_replaces_a_foreign_folder(convert, tmp_path):
    other = tmp_path / 'data'
    (other / 'cityscapes').mkdir(parents=True)
    with pytest.raises(SystemExit, match='also holds cityscapes'):
        convert('--force', out=other)
    assert (other / 'cityscapes').exists()
    (tmp_path / 'file').write_text('')
    with pytest.raises(SystemExit, match='is a file'):
        convert('--force', out=tmp_path / 'file')
    with pytest.raises(SystemExit, match='was not written: .*file'):
        convert(out=tmp_path / 'file' / 'sub')


def test_linked_folder_stays_a_link(convert, tmp_path):
    first = convert()
    link = tmp_path / 'link'
    link.symlink_to(first)
    convert('--force', out=link)
    assert link.is_symlink() and (link / 'annotations').is_dir()


def test_failed_replacement_restores_the_earlier_result(convert, monkeypatch):
    out = convert()
    before = fingerprints(out)
    rename = Path.rename

    def fail_for_new(path, target):
        if path.name.endswith('.new'):
            raise OSError('disk lost')
        return rename(path, target)

    monkeypatch.setattr(Path, 'rename', fail_for_new)
    with pytest.raises(SystemExit, match='was not written: disk lost'):
        convert('--force')
    assert fingerprints(out) == before
    assert [path.name for path in out.parent.iterdir()] == [out.name]


XML = 'Annotations/BloodImage_00019.xml'
PHOTO = 'JPEGImages/BloodImage_00019.jpg'
CSV = 'annotations.csv'
BROKEN = {
    'missing photograph': (
        0,
        PHOTO,
        'is missing: complete',
        lambda path: path.unlink(),
    ),
    'cut photograph': (
        0,
        PHOTO,
        'is not a readable image',
        lambda path: path.write_bytes(path.read_bytes()[:-300]),
    ),
    'no image': (
        1,
        'images/image-86.png',
        'is not a readable image',
        lambda path: path.write_text('<html>'),
    ),
    'missing target photograph': (
        1,
        'images/image-86.png',
        'is missing',
        lambda path: path.unlink(),
    ),
    'unknown label': (
        0,
        XML,
        "unknown label 'Blast'",
        lambda path: edit(path, 'RBC', 'Blast'),
    ),
    'no label': (
        0,
        XML,
        '(object 1 has no name)',
        lambda path: edit(path, '<name>RBC</name>', ''),
    ),
    'cut XML': (
        0,
        XML,
        'not a whole VOC annotation',
        lambda path: path.write_text(path.read_text()[:-30]),
    ),
    'no corner': (
        0,
        XML,
        'not a whole VOC annotation',
        lambda path: edit(path, '<xmax>30</xmax>', ''),
    ),
    'no number': (
        0,
        XML,
        'not a whole VOC annotation',
        lambda path: edit(path, '<xmax>30', '<xmax>30px'),
    ),
    'infinite corner': (
        0,
        XML,
        'a corner is not finite',
        lambda path: edit(path, '<xmax>30', '<xmax>inf'),
    ),
    'other size': (
        0,
        XML,
        'is for an image of 320x480',
        lambda path: edit(path, '<width>640', '<width>320'),
    ),
    'missing XML': (
        0,
        XML,
        'is missing: complete',
        lambda path: path.unlink(),
    ),
    'missing set': (
        0,
        'ImageSets/Main/test.txt',
        'as BCCD_DIR',
        lambda path: path.unlink(),
    ),
    'empty set': (
        0,
        'ImageSets/Main/trainval.txt',
        'as BCCD_DIR',
        lambda path: path.write_text('\n'),
    ),
    'missing CSV': (1, CSV, 'as SMEAR_DIR', lambda path: path.unlink()),
    'unknown CSV label': (
        1,
        CSV,
        "unknown label 'platelet'",
        lambda path: edit(path, 'wbc', 'platelet'),
    ),
    'no column': (
        1,
        CSV,
        'has no column for the box',
        lambda path: edit(path, 'xmax', 'xmaximum'),
    ),
    'no number in CSV': (
        1,
        CSV,
        'broken at line 63',
        lambda path: edit(path, '0.19946944282380394', '?'),
    ),
    'short line': (
        1,
        CSV,
        'broken at line 66',
        lambda path: edit(path, '1.2,0.5,1.5,0.6,rbc', '1.2,0.5'),
    ),
    'open quote': (
        1,
        CSV,
        'is broken at line',
        lambda path: edit(path, 'image-86.png', '"image-86.png'),
    ),
    'no CSV': (
        1,
        CSV,
        'is not a table in text',
        lambda path: path.write_bytes(b'\xff\xfe\x00\x01'),
    ),
    'nan in CSV': (
        1,
        CSV,
        'a corner is not finite',
        lambda path: edit(path, '0.19946944282380394', 'nan'),
    ),
    'photograph without row': (
        1,
        CSV,
        'has no box for image-86.png',
        lambda path: edit(path, 'image-86.png', 'image-87.png'),
    ),
}


@pytest.mark.parametrize('case', BROKEN)
def test_broken_data(convert, raw, case):
    which, name, part, damage = BROKEN[case]
    out = convert()
    before = fingerprints(out)
    damage(raw[which] / name)
    with pytest.raises(SystemExit) as error:
        convert('--force')
    message = error.value.code
    assert part in message and '\n' not in message
    assert Path(name).name in message
    # The earlier result is untouched and nothing lies beside it.
    assert fingerprints(out) == before
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_command(raw, tmp_path):
    """A process of its own, from another folder, then with broken data."""
    command = [sys.executable, str(TOOLS / 'blood_smears.py'), *map(str, raw)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    out = tmp_path / 'data' / 'blood_smears'
    with Image.open(out / 'target' / 'test' / 'image-10.png') as image:
        assert image.size == (256, 256)
    (raw[0] / PHOTO).unlink()
    command += ['--out', 'new']
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.count('\n') == 1 and 'BloodImage_00019' in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ['data', 'raw']
