"""A mean teacher from the first iteration to the exported weights."""

import pytest
import torch
from mmdet.apis import DetInferencer, inference_detector, init_detector
from mmengine.config import Config

from da_faster.detectors import convert_to_stock
from da_faster.errors import UserError
from launching import (
    TEACHER,
    average_precision,
    call,
    derive,
    evaluate,
    logged,
    train,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def config(tiny_config, tmp_path_factory):
    return derive(tiny_config, tmp_path_factory.mktemp('config'), TEACHER)


@pytest.fixture(scope='module')
def run(config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('run')
    train(config, work_dir)
    return work_dir


def state_of(path) -> dict:
    return torch.load(path, weights_only=False)['state_dict']


def part(state: dict, name: str) -> dict:
    return {
        key.removeprefix(f'{name}.'): value
        for key, value in state.items()
        if key.startswith(f'{name}.')
    }


def test_the_run_says_what_it_does(run):
    (log,) = run.glob('*/*.log')
    assert 'burn-in until iteration 2 of 6' in log.read_text()
    lines = [line for line in logged(run) if 'loss' in line]
    assert [('loss_da_image' in x, 'pseudo_boxes' in x) for x in lines] == [
        *[(True, False)] * 2,
        *[(False, True)] * 4,
    ]
    # Without pseudo-labels, the tests with this config would prove little.
    assert max(line['pseudo_boxes'] for line in lines[2:]) > 0


def test_the_teacher_is_tested_and_the_student_on_demand(
    run, config, tmp_path
):
    checkpoint = run / 'iter_6.pth'
    teacher = evaluate(config, checkpoint, tmp_path / 'teacher')
    assert teacher == average_precision(run)
    options = dict(model__predict_on='student')
    student = evaluate(config, checkpoint, tmp_path / 'student', **options)
    assert student != teacher


def test_both_are_exported(run, config, tmp_path):
    checkpoint = run / 'iter_6.pth'
    state = state_of(checkpoint)
    image = torch.randint(0, 256, (64, 80, 3)).byte().numpy()
    found = {}
    for who in ('teacher', 'student'):
        out = tmp_path / f'{who}.pth'
        done = convert_to_stock(
            config, checkpoint, out, student=who == 'student'
        )
        assert done.changes[0] == f'the {who} alone'
        wanted = {
            name: value
            for name, value in part(state, who).items()
            if 'domain' not in name
        }
        written = state_of(out)
        assert written.keys() == wanted.keys()
        for name, value in written.items():
            assert torch.equal(value, wanted[name])
        cfg = Config.fromfile(out.with_suffix('.py'))
        assert cfg.model.type == 'FasterRCNN'
        assert 'SelfTraining' not in cfg.pretty_text
        model = init_detector(cfg, str(out), device='cpu')
        found[who] = inference_detector(model, image).pred_instances.scores
    # MMDetection's init_detector wants a backbone in the config.
    infer = DetInferencer(str(config), str(checkpoint), device='cpu')
    (shown,) = infer(image, no_save_vis=True)['predictions']
    assert shown['scores'] == found['teacher'].tolist()
    assert shown['scores'] != found['student'].tolist()


def test_a_detector_without_a_student_has_none_to_export(
    tiny_config, run, tmp_path
):
    with pytest.raises(UserError, match='has no student'):
        convert_to_stock(
            tiny_config, run / 'iter_6.pth', tmp_path / 'x.pth', student=True
        )


def test_a_checkpoint_without_a_teacher_starts_and_tests_both(
    tiny_config, config, tmp_path
):
    """The average is taken of averaged weights."""
    average = derive(
        tiny_config,
        tmp_path,
        "custom_hooks = [dict(type='Recorder'), dict(type='EMAHook')]",
    )
    train(average, tmp_path / 'plain')
    checkpoint = tmp_path / 'plain/iter_6.pth'
    train(
        config,
        tmp_path / 'teacher',
        load_from=checkpoint,
        optim_wrapper__optimizer__lr=0.0,
        custom_hooks__1__burn_in=0,
        custom_hooks__1__momentum=0.5,
    )
    wanted = state_of(checkpoint)
    state = state_of(tmp_path / 'teacher/iter_6.pth')
    for who in ('teacher', 'student'):
        got = part(state, who)
        assert got.keys() == wanted.keys()
        for name, value in got.items():
            assert torch.equal(value, wanted[name]), name
    plain = evaluate(average, checkpoint, tmp_path / 'a')
    assert evaluate(config, checkpoint, tmp_path / 'b') == plain > 0


def test_a_checkpoint_with_a_teacher_starts_both(config, run, tmp_path):
    checkpoint = run / 'iter_6.pth'
    train(
        config,
        tmp_path,
        load_from=checkpoint,
        optim_wrapper__optimizer__lr=0.0,
        train_cfg__max_iters=3,
        custom_hooks__1__momentum=1e-9,
    )
    before, after = state_of(checkpoint), state_of(tmp_path / 'iter_3.pth')
    for who in ('teacher', 'student'):
        for name, value in part(after, who).items():
            torch.testing.assert_close(value, before[f'{who}.{name}'])
    # The statistics of the other run's images are dropped.
    assert after['pseudo_labels.statistics.source_images'] == 3 * 2


def test_another_detector_s_checkpoint_is_refused(config, run, tmp_path):
    checkpoint = torch.load(run / 'iter_6.pth', weights_only=False)
    del checkpoint['state_dict']['teacher.rpn_head.rpn_cls.weight']
    torch.save(checkpoint, tmp_path / 'x.pth')
    with pytest.raises(SystemExit, match='teacher.rpn_head.* is missing'):
        evaluate(config, tmp_path / 'x.pth', tmp_path)


def test_the_picture_of_the_domains_shows_the_student_s_view(config, tmp_path):
    call(
        'browse_domains.py',
        config,
        '--out',
        tmp_path / 'x.png',
        unique=False,
    )
    assert (tmp_path / 'x.png').stat().st_size > 10_000
