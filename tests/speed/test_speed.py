"""The benchmarks of speed, as short as they can be."""

import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from da_faster.engine.loops.da_loop import PairedIterator
from da_faster.errors import UserError
from launching import STYLE, TEACHER, derive
from speed import step_variants as variants
from speed import train_step as step
from speed.inputs import loaders, use_pair
from speed.measuring import interleave
from speed.step_parts import Stopwatch

BENCHMARKS = Path(__file__).parents[2] / 'benchmarks'


@pytest.fixture(autouse=True)
def scope():
    """Registries look into MMDetection, whichever test runs first."""
    init_default_scope('mmdet')


def run(capsys, name: str, *args) -> list:
    """The cells of the tables that a benchmark prints, without headers."""
    main = runpy.run_path(str(BENCHMARKS / f'{name}.py'))['main']
    with mock.patch.object(sys, 'argv', [name, *map(str, args)]):
        main()
    rows = [
        re.split(r' *\| *', line)[1:-1]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith('| ')
    ]
    return [row for row in rows if row[0] and row[1] != '---']


def paired_batch(cfg) -> dict:
    return next(PairedIterator(**loaders(cfg)))


@pytest.mark.slow
def test_train_step(capsys, tiny_config):
    rows = run(
        capsys,
        'train_step',
        tiny_config,
        '--repeats',
        1,
        '--variants',
        'stock',
        'ours',
        'off',
        'image',
        'two-passes',
        'own-padding',
        'channels-last',
        'foreach',
        'for-loop',
        'fused',
    )
    assert rows[0][0] == 'step'
    assert [row[0] for row in rows[1:4]] == ['stock', 'ours', 'off']
    assert all(float(row[1]) > 0 and float(row[3]) > 0 for row in rows[1:])
    assert rows[1][2] == '1.000 (1.000-1.000)'


def test_stock_is_stock_and_no_variant_trains(tiny_config):
    cfg = Config.fromfile(tiny_config)
    paired = paired_batch(cfg)
    plain = step.as_stock(paired)
    assert len(plain['inputs']) == 4
    assert all(len(s.gt_instances.bboxes) for s in plain['data_samples'])
    assert not any(
        len(s.gt_instances) for s in paired['data_samples']['target']
    )
    ours = step.Step(cfg, 'ours', paired)
    weights = {k: v.clone() for k, v in ours.model.state_dict().items()}
    for name, batch in (
        ('stock', plain),
        ('two-passes', paired),
        ('channels-last', paired),
    ):
        other = step.Step(cfg, name, batch)
        other.finish(weights)
        other.time()
        assert other.optim_wrapper.optimizer.state
        state = other.model.state_dict()
        assert all(torch.equal(v, weights[k]) for k, v in state.items()), name
    stock = step.Step(cfg, 'stock', plain).model
    assert type(stock).__module__.startswith('mmdet')
    assert type(stock.roi_head).__module__.startswith('mmdet')


@pytest.mark.slow
def test_a_teacher_s_step(capsys, tiny_config, tmp_path):
    config = derive(tiny_config, tmp_path, TEACHER)
    kinds = ('hard', 'soft', 'hard-classifiers', 'soft-classifiers')
    header, *rows = run(
        capsys,
        'train_step',
        config,
        '--repeats',
        1,
        '--images',
        2,
        '--variants',
        'stock',
        'ours',
        *kinds,
    )
    assert header[5:] == ['proposals', 'RoIs', 'labels', 'found']
    stock, ours, *others = [row[5:] for row in rows]
    # At most 50 proposals and 32 RoIs an image, of four images.
    assert 100 < int(stock[0]) <= 200 and 64 < int(stock[1]) <= 128
    assert stock[2:] == ['', '']
    assert ours == others[0]  # the config's labels are hard
    for row in (ours, *others):
        # Two boxes on each source image, and as many on each of the target.
        assert row[2] == '4'
        assert 0 < int(row[3]) <= 200  # as many as the teacher is allowed
    # Classifiers look at the target's proposals and RoIs, too.
    assert int(others[2][0]) > int(others[0][0])
    assert int(others[2][1]) > int(others[0][1])


@pytest.mark.slow
def test_scaling(capsys, tiny_config, tmp_path):
    picture = tmp_path / 'scaling.png'
    header, *rows = run(
        capsys, 'scaling', tiny_config, '--repeats', 1,
        '--images', 1, 2, '--factors', 2, '--out', picture,
    )  # fmt: skip
    assert header[:3] == ['images', 'size', 'Mpx']
    assert [row[0] for row in rows] == ['1 + 1', '2 + 2', '1 + 1']
    width, height = map(int, rows[0][1].split('x'))
    assert [row[1] for row in rows[1:]] == [
        f'{width}x{height}',
        f'{2 * width}x{2 * height}',
    ]
    pixels = [2 * width * height * n / 1e6 for n in (1, 2, 4)]
    assert [row[2] for row in rows] == [f'{n:.2f}' for n in pixels]
    assert all(float(row[3]) > 0 and float(row[5]) > 0 for row in rows)
    assert picture.stat().st_size > 5000


@pytest.fixture
def teacher_cfg(tiny_config, tmp_path):
    return Config.fromfile(derive(tiny_config, tmp_path, TEACHER))


def test_a_teacher_s_step_trains_nothing_and_is_not_stock(teacher_cfg):
    paired = paired_batch(teacher_cfg)
    ours = step.Step(teacher_cfg, 'ours', paired)
    weights = {
        k: v.clone() for k, v in ours.model.student.state_dict().items()
    }
    ours.finish(weights)
    moved = []
    update = ours.hook.momentum_update
    ours.hook.momentum_update = lambda *args: (
        moved.append(args) or update(*args)
    )
    ours.run()
    assert moved == [(ours.model, 0.01)]
    for part in (ours.model.student, ours.model.teacher):
        for name, value in part.state_dict().items():
            assert torch.equal(value, weights[name]), name
    stock = step.Step(teacher_cfg, 'stock', step.as_stock(paired)).model
    assert type(stock).__name__ == 'FasterRCNN'
    assert type(stock).__module__.startswith('mmdet')


def test_the_student_gets_the_source_s_boxes(teacher_cfg):
    paired = paired_batch(teacher_cfg)
    ours = step.Step(teacher_cfg, 'ours', paired)
    detections = [
        InstanceData(
            bboxes=torch.zeros(3, 4),
            labels=torch.zeros(3).long(),
            scores=torch.zeros(3),
        )
        for _ in range(2)
    ]
    parts = ours.model.pseudo_labels.select(detections)
    statistics = ours.model.pseudo_labels.statistics
    assert statistics.target_images == 2  # has looked at them
    for (kept, uncertain), sample, like in zip(
        parts,
        paired['data_samples']['target'],
        paired['data_samples']['source'],
    ):
        wanted = like.gt_instances.bboxes.clone()
        wanted.clip_(sample.img_shape)
        assert torch.equal(kept.bboxes, wanted.tensor)
        assert torch.equal(kept.labels, like.gt_instances.labels)
        assert torch.equal(uncertain.bboxes, kept.bboxes)
    assert ours.work.take() == dict(labels=4, found=6)


@pytest.mark.parametrize(
    'text, variant, sentence',
    [
        ('', 'hard', 'The config has no teacher'),
        (TEACHER, 'two-passes', 'has a pass for each domain'),
        (
            TEACHER + "detector.update({k: None for k in ('domain_neck',"
            "'instance_domain_head', 'loss_consistency')})",
            'hard-classifiers',
            'no domain classifiers',
        ),
    ],
)
def test_variants_that_do_not_suit(
    tiny_config, tmp_path, text, variant, sentence
):
    cfg = Config.fromfile(derive(tiny_config, tmp_path, text))
    with pytest.raises(UserError, match=sentence):
        step.compare_steps(cfg, 1, [variant], 1)


@pytest.mark.slow
def test_variants_compute_the_same(tiny_config):
    """Two passes and the other memory layout lose or mix up no image."""
    cfg = Config.fromfile(tiny_config)
    batch = paired_batch(cfg)
    feats = {}
    for name in ('ours', 'two-passes', 'own-padding', 'channels-last'):
        variant = step.Step(cfg, name, batch)
        variant.finish(variant.model.state_dict())
        data = variant.model.data_preprocessor(batch, True)['inputs']
        (feats[name],) = variant.model.extract_feat(
            torch.cat([*data.values()])
        )
    assert not torch.allclose(feats['ours'][0], feats['ours'][-1], rtol=1e-2)
    for name in ('two-passes', 'own-padding', 'channels-last'):
        torch.testing.assert_close(
            feats[name], feats['ours'], rtol=1e-3, atol=1e-4
        )


def test_own_padding():
    """Each domain is seen at its own size; features fit together again."""
    seen = []

    def extract_feat(images):
        seen.append(tuple(images.shape[2:]))
        return (images,)

    model = SimpleNamespace(
        extract_feat=extract_feat,
        data_preprocessor=SimpleNamespace(pad_size_divisor=4),
    )
    batch = dict(
        inputs=dict(
            source=[torch.ones(1, 8, 6)], target=[torch.ones(1, 4, 12)]
        )
    )
    variants.two_passes(own_padding=True)(model, batch)
    images = torch.zeros(2, 1, 8, 12)
    images[0, :, :8, :6] = 1
    images[1, :, :4, :12] = 1
    (feats,) = model.extract_feat(images)
    assert seen == [(8, 8), (4, 12)]
    assert torch.equal(feats, images)


@pytest.mark.slow
def test_step_parts(capsys, tiny_config, tmp_path):
    out = tmp_path / 'parts.png'
    rows = run(capsys, 'step_parts', tiny_config, '--repeats', 2, '--out', out)
    *rows, proposals, rois = rows
    assert proposals[0] == 'proposals' and 100 < int(proposals[1]) <= 200
    assert rois[0] == 'RoIs' and 64 < int(rois[1]) <= 128
    assert [row[0] for row in rows] == [
        'part',
        'data',
        'preprocessing',
        'backbone',
        'RPN',
        'RoI head',
        'domain losses',
        'backward',
        'optimizer step',
        'hooks and the rest',
    ]
    shares = [int(re.search(r'\((\d+) %\)', row[1])[1]) for row in rows[1:]]
    assert 95 <= sum(shares) <= 105
    assert out.stat().st_size > 1000


@pytest.mark.slow
@pytest.mark.parametrize('style', [False, True])
def test_loading(capsys, tiny_config, tmp_path, style):
    config = derive(tiny_config, tmp_path, STYLE if style else '')
    rows = run(
        capsys,
        'loading',
        config,
        '--repeats',
        1,
        '--batches',
        4,
        '--step',
        0.01,
    )
    assert [row[0] for row in rows] == [
        'one loader',
        'paired',
        'slow target (3x)',
        *['paired without TargetStyle'] * style,
    ]
    assert all(float(row[1]) > 0 for row in rows)


@pytest.mark.slow
def test_start_up(capsys, tiny_config, monkeypatch):
    monkeypatch.setenv(
        'PYTHONPATH', str(Path(__file__).parents[1] / 'integration')
    )
    rows = run(capsys, 'start_up', tiny_config, '--repeats', 1)
    assert [row[0] for row in rows] == ['start', 'fresh', 'resumed']


@pytest.mark.slow
def test_start_up_takes_its_training_along(tiny_config, monkeypatch):
    """A signal to end leaves no training behind."""
    monkeypatch.setenv(
        'PYTHONPATH', str(Path(__file__).parents[1] / 'integration')
    )
    begun = subprocess.Popen(
        [sys.executable, BENCHMARKS / 'start_up.py', tiny_config]
    )
    children = Path(f'/proc/{begun.pid}/task/{begun.pid}/children')
    deadline = time.monotonic() + 60
    child = None
    while child is None and time.monotonic() < deadline:
        time.sleep(0.1)
        child = next(
            (
                pid
                for pid in children.read_text().split()
                if b'train.py' in Path(f'/proc/{pid}/cmdline').read_bytes()
            ),
            None,
        )
    begun.terminate()
    assert begun.wait(60) == 128 + signal.SIGTERM
    assert child and not Path(f'/proc/{child}').exists()


@pytest.mark.slow
def test_evaluation(capsys, tiny_config):
    rows = run(
        capsys, 'evaluation', tiny_config, '--repeats', 1, '--images', 5
    )
    assert [row[0] for row in rows[:4]] == [
        'part',
        'loading',
        'detection',
        'metric',
    ]
    assert rows[4][0] == 'CocoMetric' and rows[4][3] == '0'


@pytest.mark.slow
def test_evaluators_that_differ(capsys, tiny_config, monkeypatch):
    """The compared results are those of the faster library."""
    pytest.importorskip('faster_coco_eval')
    from faster_coco_eval import COCOeval_faster

    accumulate = COCOeval_faster.accumulate

    def wrong(self, *args, **kwargs) -> None:
        accumulate(self, *args, **kwargs)
        self.eval['precision'] = self.eval['precision'] + 0.5

    differences = []
    for change in (accumulate, wrong):
        monkeypatch.setattr(COCOeval_faster, 'accumulate', change)
        rows = run(
            capsys, 'evaluation', tiny_config, '--repeats', 1, '--images', 5
        )
        assert rows[5][0] == 'FasterCocoMetric'
        differences.append(float(rows[5][3]))
    assert differences[0] < 1e-12
    assert differences[1] == pytest.approx(0.5)


def make_pair(folder: Path) -> Path:
    """Makes a generated pair of empty files."""
    for name in (
        'annotations/source_train.json',
        'annotations/target_test.json',
        'source/0.png',
        'target/0.png',
        'target_test/0.png',
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    'missing',
    [
        'annotations/source_train.json',
        'annotations/target_test.json',
        'source/0.png',
        'target/0.png',
    ],
)
def test_a_folder_that_is_no_pair(tiny_config, tmp_path, missing):
    cfg = Config.fromfile(tiny_config)
    use_pair(cfg, str(make_pair(tmp_path)))
    labels = str(tmp_path / 'annotations/target_test.json')
    assert cfg.val_evaluator.ann_file == cfg.test_evaluator.ann_file == labels
    assert cfg.val_dataloader == cfg.test_dataloader
    (tmp_path / missing).unlink()
    part = missing.replace('0.png', '')
    with pytest.raises(UserError, match=rf'no generated pair \({part} is'):
        use_pair(Config.fromfile(tiny_config), str(tmp_path))


def test_a_pair_for_a_config_without_test_labels(tmp_path):
    cfg = Config.fromfile('configs/custom/da_faster_custom.py')
    use_pair(cfg, str(make_pair(tmp_path)))
    assert cfg.test_dataloader.dataset.data_root == str(tmp_path)
    assert cfg.test_evaluator == []
    assert cfg.val_dataloader is cfg.val_evaluator is None


def test_a_pair_has_no_masks(tmp_path):
    cfg = Config.fromfile(
        'configs/city2foggy/da_mask_rcnn_r50_fpn_city2foggy.py'
    )
    with pytest.raises(UserError, match='without a mask branch'):
        use_pair(cfg, str(make_pair(tmp_path)))


@pytest.mark.slow
@pytest.mark.parametrize('soft', [False, True])
def test_step_parts_of_a_teacher(capsys, tiny_config, tmp_path, soft):
    """A teacher trains on the target from the first iteration on."""
    text = "model['distillation'] = dict(type='TwoStageDistillation')\n"
    config = derive(tiny_config, tmp_path, TEACHER + text * soft)
    out = tmp_path / 'parts.png'
    rows = run(capsys, 'step_parts', config, '--repeats', 2, '--out', out)
    parts = [row[0] for row in rows]
    assert {'backbone', 'teacher', 'pseudo-labels', 'teacher update'} < set(
        parts
    )
    assert ('distillation' in parts) == soft
    assert 'domain losses' not in parts
    assert dict(rows)['labels'] == '4'
    shares = [float(n) for n in re.findall(r'\((\d+) %\)', str(rows))]
    assert 95 <= sum(shares) <= 105


def test_a_part_inside_of_a_part_counts_once():
    watch = Stopwatch(1)
    inner = watch.timed('inner', lambda: time.sleep(0.2))
    watch.timed('outer', lambda: (inner(), time.sleep(0.1)))()
    assert watch.spent['inner'] == pytest.approx(0.2, abs=0.05)
    assert watch.spent['outer'] == pytest.approx(0.1, abs=0.05)


@pytest.mark.slow
def test_step_parts_of_one_domain(capsys, tiny_config, tmp_path):
    plain = derive(
        tiny_config,
        tmp_path,
        "train_cfg = dict(_delete_=True, type='SeededTrainLoop', max_iters=6)",
    )
    rows = run(
        capsys,
        'step_parts',
        plain,
        '--repeats',
        2,
        '--out',
        tmp_path / 'parts.png',
    )
    parts = [row[0] for row in rows]
    assert 'RPN' in parts and 'RoI head' in parts
    assert 'domain losses' not in parts


@pytest.mark.slow
def test_step_parts_of_one_stage(capsys, tiny_config, tmp_path):
    cfg = Config.fromfile(tiny_config)
    cfg.model = Config.fromfile(
        'configs/city2foggy/da_retinanet_r50_fpn_city2foggy.py'
    ).model
    cfg.model.backbone.update(depth=18, base_channels=8)
    cfg.model.neck.update(in_channels=[8, 16, 32, 64], out_channels=32)
    cfg.model.bbox_head.update(in_channels=32, feat_channels=32)
    cfg.model.domain_neck.in_channels = 32
    path = tmp_path / 'retina.py'
    cfg.dump(path)
    rows = run(
        capsys,
        'step_parts',
        path,
        '--repeats',
        1,
        '--out',
        tmp_path / 'parts.png',
    )
    parts = [row[0] for row in rows]
    assert {'backbone', 'one-stage head', 'domain losses'} <= set(parts)
    assert not {'RPN', 'RoI head'} & set(parts)


@pytest.mark.skipif(torch.cuda.is_available(), reason='is about CPUs')
def test_precision_needs_an_accelerator(capsys, tiny_config):
    with pytest.raises(SystemExit, match='bf16 needs an accelerator'):
        run(capsys, 'train_step', tiny_config, '--precision', 'bf16')


@pytest.mark.parametrize(
    'precision, expected',
    [
        ('fp32', dict(type='OptimWrapper')),
        (
            'fp16',
            dict(type='AmpOptimWrapper', dtype='float16', loss_scale=512.0),
        ),
        (
            'bf16',
            dict(
                type='AmpOptimWrapper',
                dtype='bfloat16',
                loss_scale=dict(enabled=False),
            ),
        ),
    ],
)
def test_precision(monkeypatch, precision, expected):
    """The config's own precision has no effect."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    cfg = Config(
        dict(
            optim_wrapper=dict(
                type='AmpOptimWrapper',
                dtype='bfloat16',
                loss_scale='dynamic',
                clip_grad=dict(max_norm=1),
            )
        )
    )
    step.set_precision(cfg, precision)
    assert cfg.optim_wrapper == dict(clip_grad=dict(max_norm=1), **expected)


@pytest.mark.parametrize('step', ['-1', 'nan', 'inf'])
def test_a_step_takes_no_less_than_no_time(capsys, step):
    with pytest.raises(SystemExit):
        run(
            capsys,
            'loading',
            'configs/demo/da_faster_plain_demo.py',
            '--step',
            step,
        )
    assert f'{step} is not 0 or more' in capsys.readouterr().err


@pytest.mark.parametrize(
    'args, sentence',
    [
        (('nosuch.py',), 'config nosuch.py does not exist'),
        (
            ('configs/sim10k2city/da_faster_sim10k2city.py',),
            'bring the data there, or give',
        ),
        (('configs/source_only_demo.py',), 'has no target_dataloader'),
        (('configs/_base_/default_runtime.py',), 'trains nothing'),
    ],
)
def test_what_is_not_there(capsys, args, sentence):
    with pytest.raises(SystemExit, match=sentence):
        run(capsys, 'train_step', *args)


def test_the_command_knows_the_variants():
    """The command repeats the variants' names, as importing takes seconds."""
    names = runpy.run_path(str(BENCHMARKS / 'train_step.py'))['VARIANTS']
    assert names == tuple(variants.VARIANTS)


def test_actions_take_turns_and_the_first_round_does_not_count(capsys):
    calls = []

    def action(name: str):
        return lambda: calls.append(name) or len(calls)

    results = interleave(dict(a=action('a'), b=action('b')), 2)
    assert calls == ['a', 'b'] * 3
    assert results == dict(a=[3, 5], b=[4, 6])
    out, err = capsys.readouterr()
    assert out == ''
    assert err.splitlines()[-1] == 'round 2 of 2: b'


@pytest.mark.parametrize(
    'name, option',
    [
        ('loading', 'batches'),
        ('train_step', 'images'),
        ('evaluation', 'limit'),
        ('start_up', 'iteration'),
        ('step_parts', 'repeats'),
    ],
)
def test_numbers_below_one(capsys, name, option):
    with pytest.raises(SystemExit):
        run(capsys, name, 'nosuch.py', f'--{option}', 0)
    assert 'at least 1' in capsys.readouterr().err
