"""TensorBoard, Weights & Biases and the like: ``log_to``."""

import importlib.util

import pytest
from mmengine.visualization import vis_backend

from da_faster.apis.log_backends import PACKAGES
from da_faster.config_files import read_config


def refuse(package: str):
    """A find_spec of importlib.util that does not find one package."""
    find_spec = importlib.util.find_spec
    return lambda name: None if name == package else find_spec(name)


@pytest.mark.parametrize(
    'log_to, expected',
    [
        (None, []),
        ('TensorboardVisBackend', ['TensorboardVisBackend']),
        (
            ['TensorboardVisBackend', 'WandbVisBackend'],
            ['TensorboardVisBackend', 'WandbVisBackend'],
        ),
    ],
)
def test_one_option_adds_backends(tiny_config, log_to, expected):
    cfg = read_config(tiny_config, log_to and dict(log_to=log_to))
    types = [backend.type for backend in cfg.visualizer.vis_backends]
    assert types == ['LocalVisBackend', *expected]


def test_a_missing_package_is_named_before_anything_is_written(
    tiny_config, tmp_path, command, monkeypatch
):
    monkeypatch.setattr('importlib.util.find_spec', refuse('tensorboard'))
    run = tmp_path / 'run'
    for tool, given in (('train.py', []), ('test.py', [tiny_config])):
        with pytest.raises(SystemExit, match='pip install tensorboard, or'):
            command(
                tool, tiny_config, *given, '--work-dir', run,
                '--cfg-options', 'log_to=TensorboardVisBackend',
            )  # fmt: skip
    for log_to, sentence in (
        ('tensorboard', 'tensorboard is not a backend'),
        ('LocalVisBackend', 'LocalVisBackend is a backend of the log twice'),
    ):
        with pytest.raises(SystemExit, match=sentence):
            command(
                'train.py', tiny_config, '--work-dir', run,
                '--cfg-options', f'log_to={log_to}',
            )  # fmt: skip
    assert not run.exists()


def test_every_backend_of_mmengine_has_its_package():
    known = {
        name
        for name in vars(vis_backend)
        if name.endswith('VisBackend') and name != 'BaseVisBackend'
    }
    assert known - {'LocalVisBackend'} == set(PACKAGES)


@pytest.mark.slow
def test_tensorboard_has_the_curves(tiny_config, tmp_path, command):
    events = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator'
    )
    command(
        'train.py', tiny_config, '--work-dir', tmp_path,
        '--cfg-options', 'log_to=TensorboardVisBackend',
    )  # fmt: skip
    (folder,) = tmp_path.glob('*/vis_data')
    found = events.EventAccumulator(str(folder))
    found.Reload()
    assert {'loss', 'loss_da_image', 'acc_da_image'} <= set(
        found.Tags()['scalars']
    )
    assert (folder / 'scalars.json').is_file()
