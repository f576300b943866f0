"""Scores on the source in a report: ``--source-labels``."""

import json
import re
from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import InstanceData
from PIL import Image

from da_faster.errors import UserError
from da_faster.reporting.runs import read_run
from da_faster.reporting.source import score_on_source

TRAINED = """
data = dict(
    type='CocoDataset', data_root='ROOT/', ann_file='a.json',
    data_prefix=dict(img='images/'), metainfo=dict(classes=('bus', 'car')))
train_dataloader = dict(dataset=data)
test_dataloader = dict(dataset=dict(data, ann_file='b.json'))
test_evaluator = dict(type='CocoMetric', ann_file='ROOT/b.json')
model = dict(type='DAFasterRCNN')
"""


@pytest.fixture
def run(tmp_path):
    """A run with images of a car: 0, 1 for training, 1 to 3 for testing.

    The category ids are not in the order of the classes.
    """
    (tmp_path / 'images').mkdir()
    for i in range(4):
        Image.new('RGB', (40, 40)).save(tmp_path / f'images/{i}.png')
    for name, numbers in (('a', (0, 1)), ('b', (1, 2, 3))):
        content = dict(
            images=[
                dict(id=i, file_name=f'{i}.png', height=40, width=40)
                for i in numbers
            ],
            annotations=[
                dict(
                    id=i + 1, image_id=i, category_id=7, bbox=[4, 4, 10, 20],
                    area=200, iscrowd=0,
                )
                for i in numbers
            ],
            categories=[dict(id=7, name='car'), dict(id=9, name='bus')],
        )  # fmt: skip
        (tmp_path / f'{name}.json').write_text(json.dumps(content))
    logs = tmp_path / 'run/20260101_000000/vis_data'
    logs.mkdir(parents=True)
    (logs / 'config.py').write_text(TRAINED.replace('ROOT', str(tmp_path)))
    line = dict(iter=10, step=10, loss=1.0, loss_cls=1.0)
    (logs / 'scalars.json').write_text(json.dumps(line) + '\n')
    found = [
        dict(image_id=i, category_id=7, bbox=[4, 4, 10, 20], score=0.9)
        for i in (1, 2)
    ]
    (tmp_path / 'run/detections.bbox.json').write_text(json.dumps(found))
    (tmp_path / 'run/iter_10.pth').write_bytes(b'weights')
    return tmp_path / 'run'


@pytest.fixture
def detector(monkeypatch):
    """A detector that finds the car (label 1) in images 1 and 2, not in 3."""

    def detect(model, image):
        place = [4.0, 4, 14, 24] if image[-5] in '12' else [20.0, 4, 30, 24]
        return InstanceData(
            bboxes=torch.tensor([place]),
            scores=torch.tensor([0.9 if image[-5] in '12' else 0.5]),
            labels=torch.tensor([1]),
        )

    place = 'da_faster.reporting.source'
    monkeypatch.setattr(f'{place}.detect', detect)
    monkeypatch.setattr(f'{place}.Detector.open', lambda *_: SimpleNamespace())


def test_scores_by_hand(run, detector):
    scores = score_on_source([read_run(str(run))], f'{run.parent}/b.json')
    # Two of three, before the false one: precision 1 at 67 of 101 recalls.
    assert scores.by_run[str(run)]['AP50'] == pytest.approx(6700 / 101)
    assert (scores.number, scores.seen) == (3, 1)
    assert scores.caveat().startswith('1 of the 3 images of')
    assert scores._replace(seen=0).caveat() == ''


def test_the_table_has_a_column(run, detector, tmp_path, command, capsys):
    page = tmp_path / 'page.html'
    given = ('--out', page, '--source-labels', f'{run.parent}/b.json')
    command('analysis/report.py', run, *given)
    assert 'are among those trained on' in capsys.readouterr().out
    text = page.read_text()
    (head,) = re.findall('<thead><tr><th>run.*', text)
    columns = re.findall('<th>(.*?)</th>', head)
    row = re.findall(
        '<td.*?>(.*?)</td>', re.findall('<tr><td>run<.*', text)[0]
    )
    assert row[columns.index('AP50 on the source')] == '66.3'
    command('analysis/report.py', run, '--out', page)
    assert 'on the source' not in page.read_text()
    (run / 'detections.bbox.json').unlink()
    command('analysis/report.py', run, *given)
    assert '--source-labels is not used' in capsys.readouterr().out


def test_errors_are_one_sentence(run, detector):
    read = read_run(str(run))
    with pytest.raises(UserError, match='no.json does not exist'):
        score_on_source([read], 'no.json')
    (run / 'iter_10.pth').unlink()
    with pytest.raises(UserError, match='has no checkpoint'):
        score_on_source([read], f'{run.parent}/b.json')
