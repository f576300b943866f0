"""tools/predict.py on images, folders, globs and a video."""

import json
import shutil

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config

from da_faster.apis.prediction import with_title
from launching import TEACHER, derive


@pytest.fixture(scope='module')
def detector(tiny_config, tmp_path_factory):
    """A config, and random weights that give scores of about 0.5."""
    register_all_modules()
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(tiny_config).model)
    model.init_weights()
    path = tmp_path_factory.mktemp('weights') / 'tiny.pth'
    meta = dict(dataset_meta=dict(classes=('box',)))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return tiny_config, path


def drawn(folder) -> list[str]:
    return sorted(
        path.relative_to(folder / 'drawn').as_posix()
        for path in (folder / 'drawn').rglob('*')
        if path.is_file()
    )


def test_a_folder_keeps_its_names(detector, tiny_data, tmp_path, command):
    """Images of the same name in two folders keep their folders."""
    folder = tmp_path / 'day'
    for part, name in (('a', 'test_0.png'), ('b', 'test_1.png')):
        (folder / part).mkdir(parents=True)
        shutil.copy(tiny_data / 'test' / name, folder / part / '1.png')
    out = tmp_path / 'out'
    command('predict.py', *detector, folder, '--out', out, '--score-thr', 0)
    assert drawn(out) == ['day/a/1.png', 'day/b/1.png']
    content = json.loads((out / 'predictions.json').read_text())
    image = cv2.imread(str(folder / 'a/1.png'))
    assert content['images'][0] == dict(
        id=1,
        file_name='day/a/1.png',
        height=image.shape[0],
        width=image.shape[1],
    )
    assert content['categories'] == [dict(id=1, name='box')]
    assert {item['image_id'] for item in content['annotations']} == {1, 2}
    assert all(0 <= item['score'] <= 1 for item in content['annotations'])
    picture = cv2.imread(str(out / 'drawn/day/a/1.png'))
    assert picture.shape == image.shape
    assert (picture != image).any()
    with pytest.raises(SystemExit, match='give --force'):
        command('predict.py', *detector, folder, '--out', out)


def test_only_what_reaches_the_threshold_is_drawn(
    detector, tiny_data, tmp_path, command
):
    image = tiny_data / 'test/test_0.png'
    changes = []
    for threshold in (0, 1):
        out = tmp_path / str(threshold)
        command(
            'predict.py', *detector, image, '--out', out,
            '--score-thr', threshold,
        )  # fmt: skip
        picture = cv2.imread(str(out / 'drawn/test_0.png')).astype(int)
        changes.append(abs(picture - cv2.imread(str(image))).mean())
        content = json.loads((out / 'predictions.json').read_text())
        assert content['annotations']
    # Drawing nothing smooths the noise of this image.
    assert changes[0] > 4 * changes[1]


def test_two_detectors_side_by_side(
    detector, tiny_config, tiny_data, tmp_path, command
):
    """The second is a mean teacher, whose two parts differ."""
    config = derive(tiny_config, tmp_path, TEACHER)
    state = torch.load(detector[1])['state_dict']
    both = {f'student.{name}': value for name, value in state.items()}
    both |= {f'teacher.{name}': value * 0 for name, value in state.items()}
    two = tmp_path / 'two.pth'
    meta = dict(dataset_meta=dict(classes=('box',)))
    torch.save(dict(state_dict=both, meta=meta), two)
    image = tiny_data / 'test/test_0.png'
    found = {}
    for who in ('teacher', 'student'):
        out = tmp_path / who
        command(
            'predict.py', config, two, image, '--out', out,
            *(['--student'] if who == 'student' else []),
        )  # fmt: skip
        content = json.loads((out / 'predictions.json').read_text())
        found[who] = [item['score'] for item in content['annotations']]
    assert found['teacher'] != found['student']
    out = tmp_path / 'out'
    command(
        'predict.py', *detector, image, '--out', out, '--beside', config, two
    )
    scores = []
    for name in ('predictions.json', 'predictions_2.json'):
        content = json.loads((out / name).read_text())
        scores.append([item['score'] for item in content['annotations']])
    assert scores == [found['student'], found['teacher']]
    height, width = cv2.imread(str(image)).shape[:2]
    picture = cv2.imread(str(out / 'drawn/test_0.png'))
    assert picture.shape[0] == height + 28  # a title
    assert picture.shape[1] == 2 * width + 8  # a gap


def test_any_image_that_opens(detector, tiny_data, tmp_path, command):
    """Images of 16 bits, with transparency, or without a suffix open."""
    folder = tmp_path / 'einige Bilder, grün'
    folder.mkdir()
    image = cv2.imread(str(tiny_data / 'test/test_0.png'))
    cv2.imwrite(str(folder / 'deep.png'), image.astype(np.uint16) * 257)
    cv2.imwrite(
        str(folder / 'clear.png'), cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    )
    shutil.copy(tiny_data / 'test/test_0.png', folder / 'no suffix')
    out = tmp_path / 'out'
    command('predict.py', *detector, f'{folder}/*', '--out', out)
    assert drawn(out) == ['clear.png', 'deep.png', 'no suffix.png']
    content = json.loads((out / 'predictions.json').read_text())
    boxes = {i['id']: [] for i in content['images']}
    for found in content['annotations']:
        boxes[found['image_id']].append(found['bbox'])
    assert boxes[1] == boxes[2] == boxes[3] != []


def test_what_was_drawn_is_not_looked_at_again(
    detector, tiny_data, tmp_path, command
):
    shutil.copy(tiny_data / 'test/test_0.png', tmp_path)
    for _ in range(2):
        command(
            'predict.py', *detector, tmp_path, '--out', tmp_path / 'out',
            '--force',
        )  # fmt: skip
    assert drawn(tmp_path / 'out') == [f'{tmp_path.name}/test_0.png']


def test_a_long_title_in_unicode_is_drawn_whole():
    """OpenCV writes ? for letters beyond ASCII."""
    picture = np.zeros((9, 200, 3), np.uint8)
    bands = [
        with_title(picture, title)[:-9].min(axis=2)
        for title in ('ä', 'ö', '?', 'x' * 24 + '|', 'x' * 24)
    ]
    assert {band.shape for band in bands} == {(28, 200)}
    assert all((a != b).any() for a, b in zip(bands, bands[1:]))


def test_a_video(detector, tmp_path, command):
    video = tmp_path / 'clip.mp4'
    code = cv2.VideoWriter_fourcc(*'mp4v')
    writer = cv2.VideoWriter(str(video), code, 5, (64, 48))
    for level in (60, 120, 180):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    command('predict.py', *detector, video, '--out', tmp_path / 'out')
    assert drawn(tmp_path / 'out') == ['clip.mp4']
    content = json.loads((tmp_path / 'out/predictions.json').read_text())
    assert [image['file_name'] for image in content['images']] == [
        f'clip.mp4/00000{i}.jpg' for i in range(3)
    ]
    shown = cv2.VideoCapture(str(tmp_path / 'out/drawn/clip.mp4'))
    assert shown.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert shown.get(cv2.CAP_PROP_FPS) == 5


def test_errors_are_one_sentence(detector, tiny_data, tmp_path, command):
    image = tiny_data / 'test/test_0.png'
    broken = tmp_path / 'broken.png'
    broken.write_bytes(b'no image')
    empty = tmp_path / 'empty.png'
    empty.touch()
    other = tmp_path / 'other'
    (other / 'none').mkdir(parents=True)
    shutil.copy(image, other)
    for name in ('clip.mp4', 'clip.avi'):
        (tmp_path / name).write_bytes(b'no video')
    for given, sentence in (
        (['no.png'], 'no.png does not exist'),
        ([f'{tmp_path}/*.bmp'], 'does not exist'),
        # The first image is fine, and yet nothing is drawn.
        ([image, broken], 'broken.png is no image that OpenCV can read'),
        ([image, empty], 'empty.png is no image that OpenCV can read'),
        ([other / 'none'], 'no image found in .*none'),
        ([image, '--student'], 'tiny.py has no student'),
        ([image, other / 'test_0.png'], 'two of the inputs are drawn as'),
        (
            [tmp_path / 'clip.mp4', tmp_path / 'clip.avi'],
            'drawn as clip.mp4',
        ),
        ([tmp_path / 'clip.mp4'], 'is no video that OpenCV can read'),
        ([image, '--score-thr', '2'], 'must lie in'),
        ([image, '--titles', 'a', 'b'], '2 --titles for 1 detectors'),
    ):
        with pytest.raises(SystemExit, match=sentence):
            command('predict.py', *detector, *given, '--out', tmp_path / 'o')
        assert not drawn(tmp_path / 'o')
        assert not (tmp_path / 'o/predictions.json').exists()
    # Nothing can be written there.
    (tmp_path / 'a/predictions.json').mkdir(parents=True)
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b/drawn').touch()
    for out, sentence in (
        ('a', 'predictions.json is a folder'),
        ('b', 'drawn is a file'),
        ('b/drawn', 'cannot be made'),
    ):
        with pytest.raises(SystemExit, match=sentence):
            command(
                'predict.py', *detector, image, '--out', tmp_path / out,
                '--force',
            )  # fmt: skip
    # A glob.
    command(
        'predict.py', *detector, f'{tiny_data}/test/*_[01].png',
        '--out', tmp_path / 'o', '--no-draw',
    )  # fmt: skip
    content = json.loads((tmp_path / 'o/predictions.json').read_text())
    assert len(content['images']) == 2
    assert not (tmp_path / 'o/drawn').exists()
