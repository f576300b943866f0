"""tools/train.py and tools/test.py from the outside."""

import json
import pickle

import pytest
import torch
from mmengine.runner import find_latest_checkpoint

from launching import (
    TOOLS,
    average_precision,
    call,
    evaluate,
    finish,
    logged,
    start,
    stream,
)

pytestmark = pytest.mark.slow
LOSSES = (
    'loss_rpn_cls',
    'loss_rpn_bbox',
    'loss_cls',
    'loss_bbox',
    'loss_da_image',
    'loss_da_instance',
    'loss_da_consistency',
)


@pytest.fixture(scope='module')
def trained(tiny_config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('trained')
    finish(
        start(
            TOOLS / 'train.py',
            tiny_config,
            '--work-dir',
            work_dir,
            '--cfg-options',
            f'val_evaluator.outfile_prefix={work_dir}/val',
        )
    )
    return work_dir


def detections(prefix) -> list:
    with open(f'{prefix}.bbox.json') as file:
        return json.load(file)


def test_training_logs_saves_and_evaluates(trained):
    lines = [line for line in logged(trained) if 'loss' in line]
    assert [line['step'] for line in lines] == [1, 2, 3, 4, 5, 6]
    for line in lines:
        assert all(0 <= line[name] < 10 for name in LOSSES)
        assert 0 <= line['acc_da_image'] <= 100
        assert line['loss'] == pytest.approx(sum(line[n] for n in LOSSES))
    assert [line['iter'] for line in stream(trained)] == [1, 2, 3, 4, 5, 6]
    assert len({line['weights'] for line in stream(trained)}) == 6
    assert find_latest_checkpoint(trained) == str(trained / 'iter_6.pth')
    assert (trained / 'iter_3.pth').is_file()
    assert 0 < average_precision(trained) <= 1


def test_test_py_finds_what_the_validation_found(
    trained, tiny_config, tmp_path
):
    finish(
        start(
            TOOLS / 'test.py',
            tiny_config,
            trained / 'iter_6.pth',
            '--work-dir',
            tmp_path,
            '--out',
            tmp_path / 'out.pkl',
            '--cfg-options',
            f'test_evaluator.outfile_prefix={tmp_path}/x',
        )
    )
    assert average_precision(tmp_path) == average_precision(trained)
    assert detections(tmp_path / 'x') == detections(trained / 'val')
    results = pickle.loads((tmp_path / 'out.pkl').read_bytes())
    assert [r['img_id'] for r in results] == [0, 1, 2, 3, 4]
    assert sum(len(r['pred_instances']['scores']) for r in results) == len(
        detections(tmp_path / 'x')
    )


def test_test_time_augmentation_and_drawn_images(
    trained, tiny_config, tmp_path
):
    evaluate(
        tiny_config,
        trained / 'iter_6.pth',
        tmp_path,
        '--tta',
        '--show-dir',
        'drawn',
        test_evaluator__outfile_prefix=tmp_path / 'x',
        default_hooks__visualization__interval=1,
    )
    assert 0 < average_precision(tmp_path) <= 1
    assert detections(tmp_path / 'x') != detections(trained / 'val')
    drawn = tmp_path.glob('*/drawn/*.png')
    assert len({p.name for p in drawn}) == 5


@pytest.mark.parametrize(
    'args, sentence',
    [
        (('train.py', 'no.py'), 'config no.py does not exist'),
        (('train.py', __file__ + '/x.py'), 'does not exist'),
        (('train.py', 'README.md'), 'README.md is not a config'),
        (('check_data.py', 'README.md'), 'README.md is not a config'),
        (('test.py', 'no.py', 'no.pth'), 'checkpoint no.pth does not exist'),
        (
            ('test.py', 'no.py', 'no.pth', '--out', 'x.json'),
            'must end in .pkl',
        ),
    ],
)
def test_wrong_paths_end_with_one_sentence(args, sentence):
    with pytest.raises(SystemExit, match=sentence):
        call(*args, unique=False)


@pytest.mark.skipif(torch.cuda.is_available(), reason='is about CPUs')
@pytest.mark.parametrize(
    'args, sentence',
    [
        (('--amp',), '--amp needs a GPU, .*: leave it out.'),
        (
            ('--cfg-options', 'optim_wrapper.type=AmpOptimWrapper'),
            'give --cfg-options optim_wrapper.type=OptimWrapper.',
        ),
    ],
)
def test_mixed_precision_without_a_gpu(tiny_config, tmp_path, args, sentence):
    with pytest.raises(SystemExit, match=sentence):
        call(
            'train.py',
            tiny_config,
            '--work-dir',
            tmp_path,
            *args,
            unique=False,
        )


def test_a_sentence_comes_with_an_exit_code(tiny_config):
    program = start(TOOLS / 'train.py', tiny_config, '--resume', 'no.pth')
    output = program.communicate()[0]
    assert program.returncode == 1
    assert output.splitlines()[-1] == (
        'checkpoint no.pth does not exist; check the path.'
    )
    assert 'Traceback' not in output
