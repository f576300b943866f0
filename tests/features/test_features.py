"""Runs ``tools/analysis/features.py``, and tests its picture."""

import importlib.util
import json
import shutil
import sys

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from PIL import Image

from da_faster.features.picture import MARKERS, NO_CLASS, embed, markers
from launching import TEACHER, derive

TOOL = 'analysis/features.py'


@pytest.fixture(scope='module')
def detectors(tiny_config, tmp_path_factory):
    """A detector, and a mean teacher with the detector as its teacher.

    The student has other weights.
    """
    register_all_modules()
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(tiny_config).model)
    model.init_weights()
    folder = tmp_path_factory.mktemp('weights')
    state = model.state_dict()
    both = {f'teacher.{name}': value for name, value in state.items()}
    both |= {f'student.{name}': value * 2 for name, value in state.items()}
    paths = []
    for name, weights in (('one', state), ('two', both)):
        path = folder / f'{name}.pth'
        meta = dict(dataset_meta=dict(classes=('box',)))
        torch.save(dict(state_dict=weights, meta=meta), path)
        paths.append(path)
    return (
        tiny_config,
        paths[0],
        derive(tiny_config, folder, TEACHER),
        paths[1],
    )


def test_detectors_on_the_same_images(
    detectors, tiny_data, tmp_path, command, capsys
):
    out = tmp_path / 'new/features.png'
    command(TOOL, *detectors, '--out', out, '--num', 4, '--titles', 'a', 'b')
    said = capsys.readouterr().out
    assert 'source: 4 of 8 images of' in said
    assert '4 images of a domain are few' in said
    assert 'A-distance of a: images ' in said
    assert '0 that it can only guess' in said
    with Image.open(out) as picture:
        assert picture.width > 400
    content = json.loads(out.with_suffix('.json').read_text())
    for domain in ('source', 'target'):
        assert content['images'][domain] == [
            str(tiny_data / domain / f'{domain}_{i}.png') for i in (0, 2, 4, 6)
        ]
    one, two = content['detectors']
    assert (one.pop('title'), two.pop('title')) == ('a', 'b')
    assert one.pop('checkpoint') != two.pop('checkpoint')
    assert one.pop('config') != two.pop('config')
    assert one == two, 'the teacher is measured'
    assert one['two_stages'] and one['box']['images'] == [4, 4]
    assert 0 <= one['image']['value'] <= 2


def test_the_student_on_folders(detectors, tiny_data, tmp_path, command):
    found = []
    for options in ([], ['--student']):
        out = tmp_path / 'features.png'
        command(
            TOOL, *detectors[2:], '--out', out, '--num', 3, '--boxes', 2,
            '--source', tiny_data / 'test', *options,
        )  # fmt: skip
        content = json.loads(out.with_suffix('.json').read_text())
        assert '/test/' in content['images']['source'][0]
        assert '/target/' in content['images']['target'][0]
        found.append(content['detectors'])
    assert found[0] != found[1]


def test_source_only_configs_have_the_test_images(
    detectors, tiny_config, tmp_path, command, capsys
):
    config = derive(
        tiny_config,
        tmp_path,
        "train_cfg = dict(_delete_=True, type='SeededTrainLoop', max_iters=6)",
    )
    out = tmp_path / 'x.png'
    command(TOOL, config, detectors[1], '--out', out, '--num', 2)
    assert 'target: 2 of 5 images of' in capsys.readouterr().out


def test_errors_are_one_sentence(detectors, tiny_data, tmp_path, command):
    broken = tmp_path / 'images'
    broken.mkdir()
    (broken / 'x.png').write_bytes(b'no image')
    shutil.copy(tiny_data / 'test/test_0.png', broken)
    single = tmp_path / 'single'
    single.mkdir()
    shutil.copy(tiny_data / 'test/test_0.png', single)
    (tmp_path / 'x.png').mkdir()
    (tmp_path / 'y.json').mkdir()
    out = tmp_path / 'out/f.png'
    first = detectors[:2]
    for given, sentence in (
        ([*first, '--out', 'x.json'], 'must end in .png'),
        ([*first, '--titles', 'a', 'b'], '2 --titles for 1 detectors'),
        ([*first, '--target', 'no'], 'no is not a folder of images'),
        ([*first, '--target', broken], 'x.png could not be looked at'),
        ([*first, '--target', single], 'test_0.png is the only image of'),
        ([*first, '--out', tmp_path / 'x.png'], 'x.png is a folder'),
        ([*first, '--out', tmp_path / 'y.png'], 'y.json is a folder'),
        ([first[0], 'no.pth'], 'no.pth'),
    ):
        with pytest.raises(SystemExit, match=sentence):
            command(TOOL, '--out', out, *given)
    assert not out.exists() and not out.with_suffix('.json').exists()
    for wrong in ([first[0]], [*first, '--num', 1], [*first, '--seed', -1]):
        with pytest.raises(SystemExit, match='2'):
            command(TOOL, *wrong)


def test_the_most_frequent_classes_have_a_marker():
    classes = [np.array([3, 3, 3, 1, 1, 0, 2, 4, 6]), np.array([NO_CLASS])]
    found = markers(classes, 'abcdefg')
    assert list(found) == [3, 1, 0, 2, 4, 6]
    assert found[3] == (MARKERS[0], 'd') and found[1] == (MARKERS[1], 'b')
    assert found[6] == ('x', 'other')


def test_points_stay_where_they_are():
    features = np.random.default_rng(0).normal(size=(9, 70))
    first, again = (embed(features[:4], features[4:], 0) for _ in range(2))
    assert [len(first[d]) for d in ('source', 'target')] == [4, 5]
    assert (first['target'] == again['target']).all()


def test_points_that_are_all_alike_lie_together():
    """Copies of one image give equal features, which crash t-SNE."""
    points = embed(np.ones((3, 5)), np.ones((4, 5)), 0)
    assert (points['source'] == 0).all() and points['target'].shape == (4, 2)


def test_without_scikit_learn(detectors, command, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        'importlib.util.find_spec',
        lambda name: None if name == 'sklearn' else find_spec(name),
    )
    for name in [m for m in sys.modules if m.startswith('da_faster.features')]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SystemExit, match='pip install scikit-learn'):
        command(TOOL, *detectors)
