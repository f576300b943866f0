"""The comparison of methods: scores by hand, finished and resumed runs."""

import json
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image

from da_faster.benchmarking import adaptation, methods, scores, training
from da_faster.benchmarking.hard_pairs import fill_template
from da_faster.errors import UserError

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / 'benchmarks/adaptation.py'


def wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def ann_file(tmp_path):
    """Annotations of two classes with one box each."""
    path = tmp_path / 'test.json'
    path.write_text(
        json.dumps(
            dict(
                images=[dict(id=0, file_name='0.png', height=90, width=90)],
                categories=[dict(id=1, name='A'), dict(id=2, name='B')],
                annotations=[
                    dict(
                        id=i,
                        image_id=0,
                        category_id=i,
                        bbox=[20 * i, 0, 10, 10],
                        area=100,
                        iscrowd=0,
                    )
                    for i in (1, 2)
                ],
            )
        )
    )
    return str(path)


def test_ap_by_class(ann_file, tmp_path):
    # A: exact, so 100 at every IoU. B: IoU 6/10 = 0.6, so right at 0.5, 0.55
    # and 0.6, three of the ten thresholds.
    found = [
        dict(image_id=0, category_id=1, bbox=[20, 0, 10, 10], score=0.9),
        dict(image_id=0, category_id=2, bbox=[40, 0, 10, 6.001], score=0.8),
    ]
    path = tmp_path / 'found.json'
    path.write_text(json.dumps(found))
    score = scores.evaluate(ann_file, str(path), ['A', 'B'])
    assert score['AP50_by_class'] == pytest.approx(dict(A=100, B=100))
    assert score['AP50'] == pytest.approx(100)
    assert score['AP'] == pytest.approx((100 + 30) / 2)


def test_no_detections_score_zero(ann_file, tmp_path):
    path = tmp_path / 'found.json'
    path.write_text('[]')
    score = scores.evaluate(ann_file, str(path), ['A', 'B'])
    assert (score['AP50'], score['AP']) == (0, 0)


LABELS = {
    'source-only': 'source-only',
    'da': 'DA',
    'oracle': 'oracle',
    'oracle-strong': 'strong oracle',
}


@pytest.fixture
def found():
    return {
        method: {
            seed: dict(
                AP=ap / 2, AP50=ap, AP50_by_class=dict(A=ap), minutes=3 + seed
            )
            for seed, ap in enumerate(aps)
        }
        for method, aps in {
            'source-only': (20.0, 40.0),
            'da': (60.0, 60.0),
            'oracle': (90.0, 90.0),
            'oracle-strong': (80.0, 80.0),
        }.items()
    }


def test_table_gives_mean_spread_gaps_and_minutes(found):
    lines = scores.make_table(found, [0, 1], LABELS).splitlines()
    assert lines[0] == (
        '| method | AP50 | AP50 A | AP | gap closed | of the strong gap '
        '| minutes |'
    )
    assert lines[2] == (
        '| source-only | 30.0 ± 14.1 | 30.0 ± 14.1 | 15.0 ± 7.1 | 0 % | 0 % '
        '| 3.5 |'
    )
    assert lines[3].endswith('| 60.0 ± 0.0 | 30.0 ± 0.0 | 50 % | 60 % | 3.5 |')
    assert lines[4].endswith('| 100 % | 120 % | 3.5 |')
    found['oracle'] = found['source-only']
    lines = scores.make_table(found, [0, 1], LABELS).splitlines()
    assert lines[3].endswith('| - | 60 % | 3.5 |')
    del found['oracle'], found['oracle-strong']
    assert 'gap' not in scores.make_table(found, [0, 1], LABELS)


def test_runs_side_by_side_share_the_cores(tmp_path, monkeypatch):
    monkeypatch.setattr('os.sched_getaffinity', lambda process: range(6))
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    command = [
        sys.executable,
        '-c',
        'import os; print(os.environ["OMP_NUM_THREADS"])',
    ]

    def threads(jobs: int) -> int:
        log = tmp_path / 'train.log'
        log.unlink(missing_ok=True)
        training.LocalExecutor(jobs).start(command, str(log)).wait()
        return int(log.read_text())

    assert [threads(jobs) for jobs in (1, 2, 9)] == [6, 3, 1]
    monkeypatch.delattr('os.sched_getaffinity')  # as on a Mac
    monkeypatch.setattr('os.cpu_count', lambda: 4)
    assert threads(2) == 2
    monkeypatch.setenv('OMP_NUM_THREADS', '4')
    assert threads(2) == 4


def test_one_seed_has_no_mean(ann_file):
    assert scores.describe(ann_file, [7]).startswith(
        'Last checkpoint; seed 7. Test: '
    )
    assert scores.describe(ann_file, [0, 7]).startswith(
        'Last checkpoint; seeds 0, 7: mean ± standard deviation. Test: '
    )


def test_every_seed_is_a_dot(found, tmp_path):
    scores.draw_dots(found, LABELS, 'pair', str(tmp_path / 'dots.png'))
    picture = np.asarray(Image.open(tmp_path / 'dots.png').convert('RGB'))
    blue = (picture[..., 2].astype(int) - picture[..., 0] > 40).any(0)
    # From the left: a dot of source-only, its mean, its other dot, DA's two.
    steps = np.diff(blue.astype(int))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    places = (starts + ends) / 2
    assert len(places) == 4
    gaps = np.diff(places)
    assert gaps == pytest.approx(gaps[0] * np.array([1, 1, 2]), abs=2)


@pytest.fixture
def demo_run(tmp_path):
    """A run whose config and annotations are files of the test."""
    for name in ('train.json', 'test.json'):
        (tmp_path / name).write_text('{}')
    config = tmp_path / 'source_only_pair.py'
    config.write_text(
        f"train_dataloader = dict(dataset=dict(data_root='{tmp_path}',"
        " ann_file='train.json'))\n"
        f"val_evaluator = dict(ann_file='{tmp_path}/test.json')\n"
    )
    return adaptation.Run(str(config), 'source-only', 0, str(tmp_path / 'run'))


def test_missing_labels_are_one_sentence(demo_run):
    (Path(demo_run.config).parent / 'test.json').unlink()
    with pytest.raises(UserError, match='test.json does not exist; bring'):
        adaptation.fingerprint(demo_run)
    with open(demo_run.config, 'a') as file:
        file.write('val_evaluator = None\n')
    with pytest.raises(UserError, match='nothing to compare by'):
        adaptation.fingerprint(demo_run)


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
        config.write_text(config.read_text() + 'load_from = 1\n')
    else:
        (config.parent / changed).write_text('{"images": []}')
    with pytest.raises(UserError, match='another config or of other data'):
        adaptation.is_finished(demo_run)


def test_how_a_run_is_logged_does_not_matter(demo_run):
    assert not adaptation.is_finished(demo_run)
    adaptation.set_finished(demo_run)
    config = Path(demo_run.config)
    config.write_text(
        config.read_text() + 'default_hooks = dict(logger=dict(interval=1))\n'
    )
    assert adaptation.is_finished(demo_run)


def test_detections_of_an_unknown_run_are_refused(demo_run):
    Path(demo_run.work_dir).mkdir()
    Path(demo_run.detections).write_text('[]')
    with pytest.raises(UserError, match='another config or of other data'):
        adaptation.is_finished(demo_run)


def test_an_edit_during_the_training_is_not_taken_for_its_config(demo_run):
    assert not adaptation.is_finished(demo_run)
    config = Path(demo_run.config)
    config.write_text(config.read_text() + 'load_from = 1\n')
    adaptation.set_finished(demo_run)
    with pytest.raises(UserError, match='another config or of other data'):
        adaptation.is_finished(demo_run)


def test_configs_are_found_by_name_in_any_folder(tmp_path):
    for name in (
        'oracle_demo.py',
        'pair/source_only_pair.py',
        'pair/source_only_other_pair.py',
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def found(*args):
        return methods.find_config(str(tmp_path), *args)

    assert found('oracle', 'demo') == str(tmp_path / 'oracle_demo.py')
    assert found('source-only', 'pair') == str(
        tmp_path / 'pair/source_only_pair.py'
    )
    assert found('oracle', 'pair') is None


@pytest.mark.parametrize('methods', [None, ['oracle']])
def test_a_pair_without_configs_is_refused(tmp_path, methods):
    with pytest.raises(UserError, match=r'_nosuch.py, in no folder: check'):
        adaptation.compare(
            'nosuch',
            str(tmp_path / 'out'),
            [0],
            methods,
            configs=str(tmp_path),
        )


def test_the_command_knows_the_methods():
    """The command repeats the methods' names, as importing takes seconds."""
    assert runpy.run_path(str(COMMAND))['METHODS'] == tuple(methods.METHODS)


def test_options_of_a_method():
    assert methods.METHODS['image'].arguments == (
        'model.instance_domain_head=None',
    )


def test_the_consistency_term_comes_on_top_of_both_classifiers():
    cfg = Config.fromfile(ROOT / 'configs/demo/da_faster_plain_demo.py')
    assert 'loss_consistency' not in cfg.model
    cfg.merge_from_dict(dict(methods.METHODS['consistency'].options))
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg.model)
    assert model.loss_consistency.loss_weight == 0.1
    assert model.domain_neck and model.instance_domain_head


@pytest.fixture
def own(tiny_data, tmp_path):
    """Writes the template with other lines."""

    def write(**lines) -> Path:
        path = tmp_path / 'own.py'
        lines = dict(
            dict(
                classes=('box',),
                source_images=f'{tiny_data}/source/',
                source_labels=f'{tiny_data}/source.json',
                target_images=f'{tiny_data}/target/',
                test_labels=f'{tiny_data}/test.json',
                test_images=f'{tiny_data}/test/',
            ),
            **lines,
        )
        path.write_text(fill_template(**lines))
        return path

    return write


def test_a_config_of_ones_own_gets_every_method(own, tmp_path):
    config = own(batch_size=3)
    methods.write_configs(str(config), str(tmp_path / 'configs'))
    # An edit during the trainings changes nothing.
    config.write_text('')
    found = {
        method: methods.find_config(
            str(tmp_path / 'configs'), method, 'custom'
        )
        for method in methods.METHODS
    }
    # Nobody labelled the target's images to train on.
    assert [m for m, path in found.items() if not path] == [
        'oracle',
        'oracle-strong',
    ]
    for method, path in found.items():
        if path:
            cfg = Config.fromfile(path)
            assert cfg.train_dataloader.batch_size == 3
            taught = cfg.model.type == 'MeanTeacher'
            assert cfg.train_cfg.max_iters == (2520 if taught else 1800)
            steps = [t.type for t in cfg.train_dataloader.dataset.pipeline]
            assert ('TargetStyle' in steps) == (
                'style' in method or 'teacher' in method
            )
            assert ('StrongAugmentation' in steps) == (
                len(cfg.get('custom_hooks', ())) == 1
            )
            detector = cfg.model.get('detector', cfg.model)
            assert ('domain_neck' in detector) == (
                cfg.train_cfg.type == 'DALoop' and not taught
            )


@pytest.mark.parametrize(
    'change, sentence',
    [
        (dict(test_labels=None), 'own.py has no labelled target images'),
        (dict(target_images='nowhere/'), 'data check failed'),
        (
            "\ntrain_dataloader['dataset']['pipeline'] = style_pipeline\n",
            'own.py trains one of the methods',
        ),
        (
            '\nmodel.update(_base_.domain_classifiers)\n',
            'own.py trains one of the methods',
        ),
        ('\ndel strong_pipeline\n', 'own.py has no strong_pipeline: begin'),
    ],
)
def test_a_config_that_cannot_be_compared_is_refused(
    own, tmp_path, change, sentence
):
    if isinstance(change, str):
        config = own()
        config.write_text(config.read_text() + change)
    else:
        config = own(**change)
    with pytest.raises(UserError, match=sentence):
        methods.write_configs(str(config), str(tmp_path / 'configs'))
    assert not (tmp_path / 'configs').exists()


# Stands for a training: the work dir is the third argument, after --work-dir.
TRAINING = """
import json, os, signal, sys, time
work_dir = sys.argv[3]
seed = int(os.path.basename(work_dir)[len('seed'):])
def leave(*_):
    open(os.path.join(work_dir, 'saved'), 'w').close()
    sys.exit(75)
signal.signal(signal.SIGTERM, leave)
print('trains')
if seed == 1:
    sys.exit('seed 1 cannot be trained')
sys.stdout.flush()
time.sleep(WAIT)
with open(os.path.join(work_dir, 'detections.bbox.json'), 'w') as file:
    json.dump([], file)
"""


@pytest.fixture
def pair(demo_run, ann_file, tmp_path):
    """Replaces the training of ``compare``; returns its arguments."""
    config = Path(demo_run.config)
    config.write_text(
        config.read_text() + 'train_cfg = dict(max_iters=20)\n'
        "metainfo = dict(classes=('A', 'B'))\n"
        'val_dataloader = dict(dataset=dict(metainfo=metainfo))\n'
    )

    def call(seeds: list, wait: float, jobs: int = 2) -> list:
        (tmp_path / 'train.py').write_text(TRAINING.replace('WAIT', str(wait)))
        script = tmp_path / 'compare.py'
        script.write_text(f"""
import signal, sys
from pathlib import Path
from da_faster.benchmarking import adaptation, training
training.TRAIN = Path({str(tmp_path / 'train.py')!r})
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    print(adaptation.compare('pair', {str(tmp_path / 'out')!r}, {seeds},
                             jobs={jobs}, configs={str(tmp_path)!r}))
except adaptation.UserError as error:
    sys.exit('UserError: ' + str(error))
""")
        return [sys.executable, str(script)]

    return call


@pytest.mark.slow
def test_runs_are_trained_scored_and_kept(pair, tmp_path):
    done = subprocess.run(
        pair([0, 2, 3], wait=0), capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert sorted(line.split('] ')[1].split(':')[0] for line in lines[:3]) == [
        f'source-only, seed {seed}' for seed in (0, 2, 3)
    ]
    assert lines[0].startswith('[1/3] ') and lines[2].startswith('[3/3] ')
    assert done.stderr.count('source-only, seed 2: 0/20, starting') == 1
    assert '\x1b' not in done.stderr + done.stdout
    table = (tmp_path / 'out/table.md').read_text()
    assert table in done.stdout

    again = subprocess.run(
        pair([0, 2, 3], wait=999), capture_output=True, text=True, check=True
    )
    assert again.stderr == ''
    assert table in again.stdout


@pytest.mark.slow
def test_methods_are_compared_with_source_only(pair, demo_run, tmp_path):
    plain = Path(demo_run.config)
    (tmp_path / 'oracle_pair.py').write_text(plain.read_text())
    done = subprocess.run(
        pair([0, 2], wait=0), capture_output=True, text=True, check=True
    )
    # None of them finds anything.
    assert (
        '- oracle: +0.0 ± 0.0: fewer than 5 images do not say' in done.stdout
    )
    runs = adaptation.scored_runs(str(tmp_path / 'out'), ['oracle'])
    assert len(runs['oracle']) == 2


@pytest.mark.slow
def test_a_failure_stops_none_but_the_runs_to_come(pair, tmp_path):
    done = subprocess.run(
        pair([0, 1, 2], wait=3), capture_output=True, text=True
    )
    log = tmp_path / 'out/source-only/seed1/train.log'
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f'UserError: source-only, seed 1 failed (exit code 1): see {log}.'
    )
    assert 'seed 1 cannot be trained' in done.stderr
    assert '[1/3] source-only, seed 0: AP50 0.0' in done.stdout
    assert not (tmp_path / 'out/source-only/seed2').exists()


@pytest.mark.slow
def test_a_signal_ends_the_trainings_in_order(pair, tmp_path):
    process = subprocess.Popen(
        pair([0, 2], wait=999), stderr=subprocess.PIPE, text=True
    )
    logs = [
        tmp_path / f'out/source-only/seed{seed}/train.log' for seed in (0, 2)
    ]
    wait_until(
        lambda: all(
            log.exists() and 'trains' in log.read_text() for log in logs
        )
    )
    children = Path(f'/proc/{process.pid}/task/{process.pid}/children')
    pids = children.read_text().split()
    assert len(pids) == 2
    process.send_signal(signal.SIGTERM)
    assert 'Trainings to end: 2.' in process.communicate(timeout=60)[1]
    assert process.returncode == 143
    assert not any(Path(f'/proc/{pid}').exists() for pid in pids)
    assert all((log.parent / 'saved').exists() for log in logs)


@pytest.mark.slow
def test_runs_are_jobs_of_a_cluster(
    pair, fake_slurm, tmp_path, monkeypatch, capsys
):
    pair([], wait=0)  # writes the stand-in for the training
    monkeypatch.setattr(training, 'TRAIN', tmp_path / 'train.py')
    tables = [
        adaptation.compare(
            'pair',
            str(tmp_path / 'out'),
            [0, 2],
            configs=str(tmp_path),
            slurm=dict(partition='gpu'),
        )
        for _ in range(2)
    ]
    assert tables[0] == tables[1]
    out, err = capsys.readouterr()
    assert out.count('[2/2] source-only, seed') == 2
    # Finished ones are not queued again.
    assert err.count('source-only, seed 2: 0/20, starting') == 1
    assert len(list(fake_slurm.glob('*.sh'))) == 2
