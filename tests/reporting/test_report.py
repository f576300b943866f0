"""Reports about runs: first sentence, error breakdown, images, curves."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from da_faster.benchmarking.certainty import Gain
from da_faster.errors import UserError
from da_faster.reporting import report
from da_faster.reporting.breakdown import break_down, explain
from da_faster.reporting.charts import styles
from da_faster.reporting.curves import curves
from da_faster.reporting.panels import choose_extremes
from da_faster.reporting.runs import read_methods
from da_faster.reporting.sentence import gain_sentence
from da_faster.visualization.outcomes import Outcome, assess

CAR, BUS = 1, 2
NAMES = {CAR: 'car', BUS: 'bus'}


def box(x: float, category: int = CAR, **more) -> dict:
    """A box of 10x10 pixels: IoU 7/13 at a shift of 3, 4/16 at one of 6."""
    return dict(bbox=[x, 0, 10, 10], category_id=category, **more)


@pytest.mark.parametrize(
    'detections, truth, fates, false',
    [
        ([box(3)], [box(0)], ['found'], [None]),
        ([], [box(0)], ['missed'], []),
        ([box(6)], [box(0)], ['badly placed'], ['badly placed']),
        # An IoU of 1/19 is below TOUCH_IOU.
        ([box(9)], [box(0)], ['missed'], ['background']),
        ([box(3, BUS)], [box(0)], ['confused'], ['confused']),
        # Neither the class nor the position is right.
        ([box(6, BUS)], [box(0)], ['missed'], ['background']),
        ([box(0), box(1)], [box(0)], ['found'], [None, 'repeat']),
        ([box(0), box(0, BUS)], [box(0)], ['found'], [None, 'repeat']),
        # Confused comes first, whichever has the higher score.
        (
            [box(6), box(3, BUS), box(-6)],
            [box(0)],
            ['confused'],
            ['badly placed', 'confused', 'badly placed'],
        ),
        # The first box overlaps both objects, by 4/16 and by 6/14: the
        # second object counts.
        (
            [box(12), box(6)],
            [box(0), box(10)],
            ['missed', 'found'],
            [None, 'repeat'],
        ),
        ([box(50)], [], [], ['background']),
    ],
)
def test_fates_by_hand(detections, truth, fates, false):
    explained = explain(assess(detections, truth))
    assert (explained.fates, explained.false) == (fates, false)


def test_breakdown_by_class_and_size():
    large = dict(bbox=[100, 0, 96, 96], category_id=BUS, area=96 * 96)
    outcomes = [
        assess([box(0), box(50, BUS)], [box(0), large]),
        assess([box(6), box(0, BUS)], [box(0)]),
    ]
    rows = break_down(outcomes, NAMES)
    assert list(rows) == ['all', 'car', 'bus', 'size:small', 'size:large']
    assert rows['all'].fates == {
        'found': 1,
        'badly placed': 0,
        'confused': 1,
        'missed': 1,
    }
    assert rows['car'].percent('found') == 50
    assert rows['bus'].fates['missed'] == rows['size:large'].objects == 1
    assert rows['bus'].per_image(rows['bus'].background) == 0.5
    assert rows['car'].background == rows['car'].repeats == 0


@pytest.mark.parametrize(
    'gain, said',
    [
        (
            Gain(12.0, 4.0, 3.0, 1.0, 3, 30),
            (
                '80.0 AP50, 12.0 more than plain (68.0); that is more than '
                'chance (90 % interval over 3 seeds and 30 test images: '
                '+7.0 to +17.0).'
            ),
        ),
        (
            Gain(-12.0, 4.0, 3.0, 0.0, 3, 30),
            (
                '80.0 AP50, 12.0 less than plain (92.0); that is more than '
                'chance (90 % interval over 3 seeds and 30 test images: '
                '-17.0 to -7.0).'
            ),
        ),
        (
            Gain(4.0, 4.0, 3.0, 0.8, 2, 30),
            (
                '80.0 AP50, 4.0 more than plain (76.0); that may be chance '
                '(90 % interval over 2 seeds and 30 test images: -1.0 to '
                '+9.0).'
            ),
        ),
        (
            Gain(12.0, 4.0, 0.0, 1.0, 1, 30),
            (
                '80.0 AP50, 12.0 more than plain (68.0); one seed does not '
                'say whether that is more than chance.'
            ),
        ),
        (
            Gain(0.0, 1.0, 1.0, 0.5, 2, 4),
            (
                '80.0 AP50, as much as plain (80.0); 4 test images cannot say '
                'whether that is more than chance.'
            ),
        ),
    ],
)
def test_first_sentence(gain, said):
    sentence = gain_sentence('ours', 'plain', 80.0, gain)
    assert sentence == f'On the target, ours reaches {said}'


def test_images_of_both_directions():
    """Found minus false, after minus before, is +2, -1, 0, +1."""

    def outcomes(*numbers: tuple[int, int]) -> dict[int, Outcome]:
        return {
            i: Outcome(
                [box(0)] * (found + false),
                [box(0)] * 3,
                [*range(found), *[None] * false],
            )
            for i, (found, false) in enumerate(numbers)
        }

    before = outcomes((0, 0), (2, 0), (1, 1), (1, 2))
    after = outcomes((2, 0), (3, 2), (2, 2), (1, 1))
    chosen = choose_extremes(before, after, 1)
    assert chosen.gains == {0: 2, 1: -1, 2: 0, 3: 1}
    assert (chosen.best, chosen.worst) == ([0], [1])
    assert 'rises in 2 of 4 images and falls in 1' in chosen.rule('a', 'b')
    every = choose_extremes(before, after, 9)
    assert (every.best, every.worst) == ([0, 3], [1, 2])


CONFIG = """
data = dict(
    type='CocoDataset',
    data_root='DATA/',
    ann_file='test.json',
    data_prefix=dict(img='test/'),
    metainfo=dict(classes=('car', 'bus')))
test_dataloader = dict(dataset=data)
test_evaluator = dict(type='CocoMetric', ann_file='DATA/test.json')
train_cfg = dict(type='DALoop', max_iters=20)
model = dict(type='DAFasterRCNN', domain_neck=dict(loss_weight=0.5))
"""


@pytest.fixture(scope='module')
def data(tmp_path_factory) -> Path:
    """Six images, each of one car at x = 0."""
    root = tmp_path_factory.mktemp('data')
    (root / 'test').mkdir()
    for i in range(6):
        image = Image.fromarray(np.full((20, 80, 3), 99, np.uint8))
        image.save(root / f'test/{i}.png')
    truth = dict(
        images=[
            dict(id=i, file_name=f'{i}.png', height=20, width=80)
            for i in range(6)
        ],
        categories=[dict(id=i, name=name) for i, name in NAMES.items()],
        annotations=[
            box(0, id=i + 1, image_id=i, area=100, iscrowd=0) for i in range(6)
        ],
    )
    (root / 'test.json').write_text(json.dumps(truth))
    return root


def make_run(
    folder: Path, data: Path, found: tuple | None = None, **logged
) -> Path:
    """A work dir whose detector is right in the images ``found``."""
    logs = folder / '20260101_000000/vis_data'
    logs.mkdir(parents=True)
    (logs / 'config.py').write_text(CONFIG.replace('DATA', str(data)))
    lines = [
        dict(iter=step, step=step, loss=1.5, loss_cls=1.0, lr=0.1, time=3)
        | logged
        for step in (10, 20)
    ]
    # Lines as SelfTrainingHook and an evaluation log them.
    lines.insert(0, {'pseudo_boxes/car': 2.0, 'step': 10})
    lines.append({'coco/bbox_mAP': 0.5, 'step': 0})
    (logs / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)))
    if found is not None:
        boxes = [box(0 if i in found else 50) for i in range(6)]
        boxes = [dict(b, image_id=i, score=0.9) for i, b in enumerate(boxes)]
        (folder / 'detections.bbox.json').write_text(json.dumps(boxes))
    return folder


def files(folder: Path) -> dict:
    return {
        path: path.stat().st_mtime_ns
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


@pytest.fixture(scope='module')
def page(data, tmp_path_factory) -> tuple:
    """The report of two methods with two seeds each, and its text."""
    root = tmp_path_factory.mktemp('runs')
    for seed in (0, 1):
        make_run(root / f'source-only/seed{seed}', data, (0,))
        make_run(
            root / f'<da>/seed{seed}',
            data,
            (1, 2, 3, 4, 5),
            loss_da_image=0.3,
            acc_da_image=80.0,
        )
    before = files(root)
    out = tmp_path_factory.mktemp('out') / 'page.html'
    done = report([str(root)], str(out), images=1)
    assert files(root) == before
    return done, out.read_text()


def test_page_stands_alone(page):
    _, text = page
    assert not re.findall(r'(?:href|src)="(?!data:|#)', text)
    assert not re.findall(r'<script|<link|@import|url\((?!#)', text)
    assert '<da>' not in text and '&lt;da&gt;' in text


def test_page_begins_with_the_gain(page):
    """Scores are equal, so the images are ranked in their order.

    source-only is right in the first image: precision 1 at the 17 of 101
    recalls up to 1/6. The other method is wrong there and right in the rest:
    precision 5/6 at 84 recalls.
    """
    done, text = page
    assert done.notes == []
    assert done.sentence.startswith(
        'On the target, <da> reaches 69.3 AP50, 52.5 more than source-only '
        '(16.8); that may be chance (90 % interval over 2 seeds and 6 test '
    )
    headline = re.search('<h1>(.*)</h1>', text)[1]
    assert headline == done.sentence.replace('<da>', '&lt;da&gt;')


def test_page_shows_both_directions(page):
    _, text = page
    shown = re.findall(r'<p><b>([+-]\d)</b> <span class="soft">(.*?)<', text)
    assert shown == [('+2', '1.png'), ('-2', '0.png')]
    # Two panels of an image share its pixels.
    assert text.count('<image id="image-') == 2
    assert text.count('<use href="#image-') == 2
    kinds = re.findall(r'<g class="(\w+)"><title>', text)
    assert kinds == ['missed', 'false', 'found', 'found', 'missed', 'false']


def test_page_has_the_curves_that_were_logged(page):
    _, text = page
    for title in (
        'Detection loss on labelled images',
        'How often a domain classifier is right: acc_da_image',
        'Loss of a domain classifier: loss_da_image',
        'Pseudo-labels an image: car',
        'Learning rate',
    ):
        assert f'<figcaption>{title}<span>' in text
    assert 'Detection loss on pseudo-labels' not in text


def test_chance_is_half_and_ln_2_times_the_weight(data, tmp_path, monkeypatch):
    run = make_run(
        tmp_path / 'run',
        data,
        loss_da_image=0.3,
        acc_da_image=80.0,
        loss_da_consistency=0.1,
    )
    marks = []
    monkeypatch.setattr(
        'da_faster.reporting.curves.draw_chart',
        lambda *_, **options: marks.append(options.get('marks')) or '',
    )
    curves(read_methods([str(run)]), styles([False]))
    assert [m for m in marks if m] == [
        {'chance': 50},
        {'chance, ln 2 × 0.5': pytest.approx(0.34657, abs=1e-5)},
    ]


def test_run_without_detections(data, tmp_path, capsys, command, monkeypatch):
    """The page shows the training, and how to make the detections."""
    run = make_run(tmp_path / 'a,run', data)
    out = tmp_path / 'new/page.html'
    command('analysis/report.py', run, '--out', out)
    assert 'a,run/detections does not arrive' in capsys.readouterr().out
    monkeypatch.chdir(run)
    command('analysis/report.py', run, '--out', out)
    assert (
        'outfile_prefix=detections\nWhat was gained on the target is not known'
    ) in capsys.readouterr().out
    text = out.read_text()
    assert 'id="training"' in text and 'id="table"' not in text


def test_the_baseline_is_never_another_run(data, tmp_path):
    """If the first run has no detections, the second does not replace it."""
    runs = [make_run(tmp_path / 'plain', data)]
    runs += [make_run(tmp_path / n, data, (0,)) for n in ('da', 'more')]
    done = report([str(run) for run in runs], str(tmp_path / 'page.html'))
    assert done.sentence.startswith(
        'What was gained on the target is not known: plain, which is to be '
        'beaten, has no detections'
    )
    text = (tmp_path / 'page.html').read_text()
    assert 'id="table"' in text and 'gain over' not in text
    assert 'id="images"' not in text


def test_the_page_is_about_no_oracle_and_no_control(data, tmp_path):
    names = ('source-only', 'da', 'control', 'oracle')
    runs = [make_run(tmp_path / n, data, (0, 1)) for n in names]
    done = report([str(run) for run in runs], str(tmp_path / 'page.html'), 0)
    # Names of methods are as in the tables of benchmarks/adaptation.py.
    assert 'DA image + instance reaches' in done.sentence
    text = (tmp_path / 'page.html').read_text()
    assert 'gap closed' in text and 'id="images"' not in text


def test_one_run_alone(data, tmp_path):
    run = make_run(tmp_path / 'run', data, (0, 1, 2, 3, 4, 5))
    done = report([str(run)], str(tmp_path / 'page.html'))
    assert done.sentence.startswith(
        'On the target, run reaches 100.0 AP50. To see what was gained, give'
    )
    assert 'id="images"' not in (tmp_path / 'page.html').read_text()


def test_a_run_without_another_to_compare(data, tmp_path):
    run = make_run(tmp_path / 'run', data, (0,))
    oracle = make_run(tmp_path / 'oracle', data, (0,))
    empty = make_run(tmp_path / 'empty', data)
    for beside, said in (
        ([empty], 'no other run has detections'),
        ([oracle, empty], 'with: the others are oracles'),
    ):
        folders = [str(folder) for folder in (run, *beside)]
        done = report(folders, str(tmp_path / 'page.html'))
        assert said in done.sentence


def test_an_unfinished_training_is_noted(data, tmp_path):
    run = make_run(tmp_path / 'run', data, (0,))
    config = run / '20260101_000000/vis_data/config.py'
    config.write_text(config.read_text().replace('=20', '=400'))
    (note,) = report([str(run)], str(tmp_path / 'page.html')).notes
    assert 'has come to iteration 20 of 400' in note


def damage(run: Path, data: Path, kind: str) -> None:
    """Damages one file of a work dir."""
    logs = run / '20260101_000000/vis_data'
    if kind == 'log':
        (logs / 'scalars.json').write_text('{"iter": 1}\n[\n{"iter": 2}\n')
    elif kind == 'config':
        (logs / 'config.py').unlink()
    elif kind == 'syntax':
        (logs / 'config.py').write_text('a = (')
    elif kind == 'nothing':
        (logs / 'scalars.json').write_text('')
    elif kind == 'truth':
        config = (logs / 'config.py').read_text()
        (logs / 'config.py').write_text(config.replace('test.json', 'no.json'))
    else:
        found = [box(0, image_id=77, score=0.5)]
        (run / 'detections.bbox.json').write_text(
            json.dumps(found) if kind == 'other' else '{'
        )


@pytest.mark.parametrize(
    'kind, sentence',
    [
        ('log', r'scalars.json, line 2, is no record of a training'),
        ('config', r'no \*/vis_data/config.py of its training'),
        ('syntax', r'config.py is not a config'),
        ('nothing', r'has logged no iteration yet'),
        ('truth', r'no.json does not exist: start in the folder'),
        ('other', r'detections.bbox.json has a detection of image 77'),
        ('json', r'detections.bbox.json does not hold COCO detections'),
    ],
)
def test_bad_work_dir_is_one_sentence(data, tmp_path, kind, sentence):
    run = make_run(tmp_path / 'run', data, (0,))
    damage(run, data, kind)
    out = tmp_path / 'page.html'
    with pytest.raises(UserError, match=sentence):
        report([str(run)], str(out))
    assert not out.exists()


def test_bad_arguments(data, tmp_path):
    run = make_run(tmp_path / 'run', data, (0,))
    other = tmp_path / 'other'
    (other / 'test').mkdir(parents=True)
    text = (data / 'test.json').read_text().replace('"bus"', '"van"')
    (other / 'test.json').write_text(text)
    second = make_run(tmp_path / 'second', other, (0,))
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'short/20260101/vis_data').mkdir(parents=True)
    (tmp_path / 'x.html').mkdir()
    page = str(tmp_path / 'page.html')
    for runs, out, sentence in (
        (['nowhere'], page, 'nowhere is no folder'),
        ([str(tmp_path / 'empty')], page, 'empty holds no training'),
        ([str(tmp_path / 'short')], page, 'short has logged no iteration'),
        ([str(run)], 'page.pdf', 'must end in .html'),
        (
            [str(run)],
            f'{run}/20260101_000000/vis_data/config.py/p.html',
            'cannot be made',
        ),
        ([str(run)], str(tmp_path / 'x.html'), 'x.html is a folder'),
        ([str(run), str(second)], page, 'compare runs of one test set'),
    ):
        with pytest.raises(UserError, match=sentence):
            report(runs, out)
    assert not Path(page).exists()
