"""MMDetection's own tools work on these configs, checkpoints and logs."""

import functools
import pickle
from pathlib import Path

import mmdet
import pytest
from mmengine.config import Config

from launching import average_precision, call, train

MMDET_TOOLS = Path(mmdet.__file__).parent / '.mim' / 'tools'
pytestmark = pytest.mark.skipif(
    not MMDET_TOOLS.is_dir(), reason='MMDetection is installed without tools'
)
use = functools.partial(call, unique=False)


@pytest.fixture(scope='module')
def trained(tiny_config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('trained')
    train(tiny_config, work_dir)
    return work_dir


@pytest.fixture(scope='module')
def tested(trained, tiny_config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('tested')
    call(
        MMDET_TOOLS / 'test.py',
        tiny_config,
        trained / 'iter_6.pth',
        '--work-dir',
        work_dir,
        '--out',
        work_dir / 'out.pkl',
    )
    return work_dir


def test_train_and_test(trained, tested, tiny_config, tmp_path):
    assert average_precision(tested) == average_precision(trained) > 0
    assert len(pickle.loads((tested / 'out.pkl').read_bytes())) == 5
    call(MMDET_TOOLS / 'train.py', tiny_config, '--work-dir', tmp_path)
    assert average_precision(tmp_path) == average_precision(trained)


def test_browse_dataset(tiny_config, tmp_path):
    use(
        MMDET_TOOLS / 'analysis_tools/browse_dataset.py',
        tiny_config,
        '--not-show',
        '--output-dir',
        tmp_path,
    )
    assert len(list(tmp_path.glob('source_*.png'))) == 8


@pytest.mark.parametrize(
    'key',
    [
        'loss_da_image',
        'loss_da_instance',
        'loss_da_consistency',
        'loss_rpn_cls',
        'bbox_mAP',
    ],
)
def test_analyze_logs(trained, tmp_path, key):
    (log,) = trained.glob('*/vis_data/scalars.json')
    analyze = MMDET_TOOLS / 'analysis_tools/analyze_logs.py'
    # The tool's default style is seaborn's, which Matplotlib lacks.
    use(
        analyze,
        'plot_curve',
        log,
        '--keys',
        key,
        '--out',
        tmp_path / 'x.png',
        '--style',
        'default',
        '--backend',
        'agg',
    )
    assert (tmp_path / 'x.png').stat().st_size > 1000


def test_analyze_logs_times(trained, capsys):
    (log,) = trained.glob('*/vis_data/scalars.json')
    use(MMDET_TOOLS / 'analysis_tools/analyze_logs.py', 'cal_train_time', log)
    assert 'average iter time' in capsys.readouterr().out


def test_get_flops(tiny_config, capsys):
    use(
        MMDET_TOOLS / 'analysis_tools/get_flops.py',
        tiny_config,
        '--num-images',
        1,
    )
    assert 'Flops: ' in capsys.readouterr().out


@pytest.mark.parametrize('task', ['dataloader', 'dataset'])
def test_benchmark(tiny_config, tmp_path, task):
    use(
        MMDET_TOOLS / 'analysis_tools/benchmark.py',
        tiny_config,
        '--task',
        task,
        '--dataset-type',
        'train',
        '--max-iter',
        4,
        '--num-warmup',
        1,
        '--log-interval',
        1,
        '--work-dir',
        tmp_path,
    )


def test_print_config(tiny_config, tmp_path):
    use(
        MMDET_TOOLS / 'misc/print_config.py',
        tiny_config,
        '--save-path',
        tmp_path / 'whole.py',
    )
    whole = Config.fromfile(tmp_path / 'whole.py')
    assert whole.to_dict() == Config.fromfile(tiny_config).to_dict()


def test_tools_that_read_predictions(tested, tiny_config, tmp_path, capsys):
    out, tools = tested / 'out.pkl', MMDET_TOOLS / 'analysis_tools'
    use(tools / 'eval_metric.py', tiny_config, out)
    assert f"'coco/bbox_mAP': {average_precision(tested)}" in (
        capsys.readouterr().out
    )
    use(tools / 'confusion_matrix.py', tiny_config, out, tmp_path)
    use(tools / 'analyze_results.py', tiny_config, out, tmp_path, '--topk', 1)
    assert (tmp_path / 'confusion_matrix.png').is_file()
    assert len(list(tmp_path.glob('*/test_*.png'))) == 2
