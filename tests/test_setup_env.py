"""The logic of the set-up; `make test` runs `make env` itself."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def load(name):
    spec = importlib.util.spec_from_file_location(
        name, ROOT / 'requirements' / f'{name}.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


setup_env = load('setup_env')
check_env = load('check_env')


@pytest.mark.parametrize(
    'error, cause, remedy',
    [
        (
            ModuleNotFoundError(
                "No module named 'mmcv._ext'", name='mmcv._ext'
            ),
            'without its compiled ops',
            '--no-build-isolation',
        ),
        (
            ImportError('mmcv/_ext.so: undefined symbol: _ZN2at'),
            'for another PyTorch',
            '--force-reinstall',
        ),
        (
            RuntimeError(
                'nms_impl: implementation for device cuda:0 not found.'
            ),
            'without CUDA',
            '--no-build-isolation',
        ),
        (
            ModuleNotFoundError("No module named 'mmdet'", name='mmdet'),
            "'mmdet' is missing",
            '`make env`',
        ),
        (RuntimeError('nms kept [0]'), 'does not work', 'nms kept [0]'),
    ],
)
def test_a_broken_environment_is_explained_in_one_line(error, cause, remedy):
    text = check_env.explain(error)
    assert cause in text and remedy in text
    assert '\n' not in text


def test_check_fails_where_the_packages_are_missing():
    # With -S -I, Python sees no installed packages.
    done = subprocess.run(
        [sys.executable, '-S', '-I', ROOT / 'requirements/check_env.py'],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert 'is missing: run `make env`' in done.stderr


def test_ops_of_this_environment_work():
    check_env.run_ops('cpu')


def test_lock_pins_every_distribution_exactly():
    pins = setup_env.read_pins(setup_env.LOCK.read_text())
    assert {
        'torch',
        'onedl-mmcv',
        'numpy',
        'pytest',
        *setup_env.BUILD_TOOLS,
    } <= set(pins)
    for line in pins.values():
        requirement = line.split(';')[0]
        assert requirement.count('==') == 1 and '*' not in requirement
    # torchvision would bring a second, CUDA build of torch with it.
    assert 'torchvision' not in pins


def test_lock_covers_every_direct_requirement():
    pins = setup_env.read_pins(setup_env.LOCK.read_text())
    direct = (ROOT / 'requirements' / 'direct.txt').read_text().splitlines()
    names = {
        line.split('#')[0].split('<')[0].split('>')[0].strip()
        for line in direct
    }
    assert names - {''} <= set(pins)


@pytest.mark.parametrize(
    'name', ['requirements/lock.txt', 'pyproject.toml', 'setup.py']
)
def test_stamp_follows_what_is_installed(name, tmp_path, monkeypatch):
    for path in ['requirements/lock.txt', 'pyproject.toml', 'setup.py']:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text('before')
    monkeypatch.setattr(setup_env, 'ROOT', tmp_path)
    monkeypatch.setattr(setup_env, 'LOCK', tmp_path / 'requirements/lock.txt')
    before = setup_env.digest()
    assert setup_env.digest() == before
    (tmp_path / name).write_text('after')
    assert setup_env.digest() != before


@pytest.mark.parametrize('version', [(3, 9), (3, 13)])
def test_other_pythons_are_refused(version):
    with pytest.raises(setup_env.SetupError, match='PYTHON=python3.11'):
        setup_env.check_machine(version)


def test_missing_compiler_is_named(monkeypatch):
    monkeypatch.setenv('CXX', 'no-such-compiler')
    with pytest.raises(setup_env.SetupError, match='no-such-compiler.*g..'):
        setup_env.check_machine((3, 11))


@pytest.mark.parametrize(
    'output, expected',
    [
        (
            'WARNING: Retrying NewConnectionError(...)\nERROR: No matching',
            'check the network',
        ),
        ('ERROR: [Errno 28] No space left on device', 'The disk is full'),
        (
            'Collecting x\nERROR: No matching distribution found for x==9',
            'No matching distribution found for x==9',
        ),
    ],
)
def test_a_failure_of_pip_is_explained_in_one_line(output, expected):
    sentence = setup_env.pip_failure(output)
    assert expected in sentence and '\n' not in sentence


def test_interrupted_environment_is_made_anew(tmp_path, monkeypatch):
    """Without a stamp, .venv is removed."""
    venv = tmp_path / '.venv'
    left = venv / 'lib' / 'half-installed'
    left.mkdir(parents=True)
    monkeypatch.setattr(setup_env, 'VENV', venv)
    monkeypatch.setattr(setup_env, 'STAMP', venv / '.ready')
    monkeypatch.setattr(
        setup_env.subprocess,
        'run',
        lambda *a, **k: subprocess.CompletedProcess(a, 0),
    )
    setup_env.prepare_venv()
    assert not left.exists()


def test_failing_set_up_leaves_no_stamp(tmp_path, monkeypatch, capsys):
    def fail(compiler):
        raise setup_env.SetupError('one clear sentence.')

    monkeypatch.setattr(setup_env, 'STAMP', tmp_path / '.ready')
    monkeypatch.setattr(setup_env, 'install', fail)
    monkeypatch.setattr(setup_env, 'check_machine', lambda: 'c++')
    monkeypatch.setattr(setup_env.signal, 'signal', lambda *_: None)
    assert setup_env.main() == 1
    assert 'one clear sentence.' in capsys.readouterr().err
    assert not (tmp_path / '.ready').exists()


@pytest.mark.slow
def test_the_check_prints_one_line():
    done = subprocess.run(
        [sys.executable, setup_env.HERE / 'check_env.py'],
        capture_output=True,
        text=True,
    )
    assert re.fullmatch(
        r'torch .*: nms and RoIAlign work on .*\n', done.stdout
    )
