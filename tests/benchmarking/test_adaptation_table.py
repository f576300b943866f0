"""The numbers of benchmarks/adaptation.py, by hand."""
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'benchmarks'))

import adaptation  # noqa: E402


@pytest.fixture
def ann_file(tmp_path):
    """Two classes, one box each."""
    path = tmp_path / 'test.json'
    path.write_text(
        json.dumps(
            dict(
                images=[dict(id=0, file_name='0.png', height=90, width=90)],
                categories=[dict(id=1, name='A'),
                            dict(id=2, name='B')],
                annotations=[
                    dict(
                        id=i,
                        image_id=0,
                        category_id=i,
                        bbox=[20 * i, 0, 10, 10],
                        area=100,
                        iscrowd=0) for i in (1, 2)
                ])))
    return str(path)


def test_ap_by_class(ann_file, tmp_path):
    # A: exact, so 100 at every IoU. B: IoU 6/10 = 0.6, so right at 0.5, 0.55
    # and 0.6, three of the ten thresholds.
    found = [
        dict(image_id=0, category_id=1, bbox=[20, 0, 10, 10], score=.9),
        dict(image_id=0, category_id=2, bbox=[40, 0, 10, 6.001], score=.8)
    ]
    path = tmp_path / 'found.json'
    path.write_text(json.dumps(found))
    score = adaptation.evaluate(ann_file, str(path))
    assert score['AP50_by_class'] == pytest.approx(dict(A=100, B=100))
    assert score['AP50'] == pytest.approx(100)
    assert score['AP'] == pytest.approx((100 + 30) / 2)


def test_no_detections_score_zero(ann_file, tmp_path):
    path = tmp_path / 'found.json'
    path.write_text('[]')
    score = adaptation.evaluate(ann_file, str(path))
    assert (score['AP50'], score['AP']) == (0, 0)


def test_table_gives_mean_spread_and_gap():
    scores = {
        method: {
            seed: dict(AP=ap / 2, AP50=ap, AP50_by_class=dict(A=ap))
            for seed, ap in enumerate(aps)
        }
        for method, aps in {
            'source-only': (20., 40.),
            'da': (60., 60.),
            'oracle': (90., 90.)
        }.items()
    }
    lines = adaptation.make_table(scores, [0, 1]).splitlines()
    assert lines[2] == ('| source-only | 30.0 ± 14.1 | 30.0 ± 14.1 '
                        '| 15.0 ± 7.1 | 0 % |')
    assert lines[3].endswith('| 60.0 ± 0.0 | 30.0 ± 0.0 | 50 % |')
    assert lines[4].endswith('| 100 % |')


@pytest.fixture
def demo_run(tmp_path, monkeypatch):
    """A run whose config and annotations are files of the test."""
    for name in ('train.json', 'test.json'):
        (tmp_path / name).write_text('{}')
    config = tmp_path / 'source_only_pair.py'
    config.write_text(
        f"train_dataloader = dict(dataset=dict(data_root='{tmp_path}',"
        " ann_file='train.json'))\n"
        f"val_evaluator = dict(ann_file='{tmp_path}/test.json')\n")
    monkeypatch.setattr(adaptation.Run, 'config', str(config))
    return adaptation.Run('pair', 'source-only', 0, str(tmp_path / 'run'))


def test_only_a_finished_run_is_not_repeated(demo_run):
    assert not adaptation.is_finished(demo_run)
    # Killed while it wrote its detections.
    Path(demo_run.detections).write_text('[{"image')
    assert not adaptation.is_finished(demo_run)
    adaptation.set_finished(demo_run)
    assert adaptation.is_finished(demo_run)


@pytest.mark.parametrize('changed', ['train.json', 'test.json', 'config'])
def test_a_run_of_another_config_or_data_is_refused(demo_run, changed):
    assert not adaptation.is_finished(demo_run)
    adaptation.set_finished(demo_run)
    config = Path(demo_run.config)
    if changed == 'config':
        config.write_text(config.read_text() + 'lr = 1\n')
    else:
        (config.parent / changed).write_text('{"images": []}')
    with pytest.raises(SystemExit, match='another config or of other data'):
        adaptation.is_finished(demo_run)


def test_detections_of_an_unknown_run_are_refused(demo_run):
    Path(demo_run.work_dir).mkdir()
    Path(demo_run.detections).write_text('[]')
    with pytest.raises(SystemExit, match='another config or of other data'):
        adaptation.is_finished(demo_run)


def test_an_edit_during_the_training_is_not_taken_for_its_config(demo_run):
    assert not adaptation.is_finished(demo_run)
    config = Path(demo_run.config)
    config.write_text(config.read_text() + 'lr = 1\n')
    adaptation.set_finished(demo_run)
    with pytest.raises(SystemExit, match='another config or of other data'):
        adaptation.is_finished(demo_run)
