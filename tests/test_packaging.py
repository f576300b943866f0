"""The files of an installed package, built from the tracked files."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / 'configs'


def tracked(*folders):
    listed = subprocess.run(
        ['git', 'ls-files', '-z', '--', *folders],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # A file that is deleted but not yet committed is listed all the same.
    return [name for name in listed.split('\0') if (ROOT / name).is_file()]


def build(what, source, out):
    """Calls the build backend, as pip does; returns the path of the file."""
    out.mkdir()
    code = (
        'import setuptools.build_meta as backend; '
        f'backend.build_{what}({str(out)!r})'
    )
    subprocess.run(
        [sys.executable, '-c', code],
        cwd=source,
        check=True,
        capture_output=True,
    )
    return next(out.iterdir())


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp('source')
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope='module')
def wheel(source, tmp_path_factory):
    # A file of an earlier build must not get into the wheel.
    left = source / 'build/lib/da_faster/gone.py'
    left.parent.mkdir(parents=True)
    left.touch()
    return build('wheel', source, tmp_path_factory.mktemp('wheel') / 'out')


def modes(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {
            info.filename: info.external_attr >> 16
            for info in archive.infolist()
        }


def test_wheel_holds_every_module_and_no_other(wheel):
    modules = {
        name
        for name in modes(wheel)
        if name.startswith('da_faster')
        and '.dist-info/' not in name
        and '/.mim/' not in name
    }
    assert modules == {
        name.removeprefix('projects/') for name in tracked('projects')
    }


@pytest.mark.parametrize('package', ['da_faster', '_da_faster_mim'])
def test_wheel_holds_configs_tools_and_index(wheel, package):
    mode = modes(wheel)
    for name in tracked('configs', 'tools', 'model-index.yml'):
        runs = (ROOT / name).stat().st_mode & 0o100
        assert mode[f'{package}/.mim/{name}'] & 0o100 == runs, name


def test_mim_finds_its_copy_first(wheel):
    """onedl-mim looks into the first folder of the sorted file names."""
    assert min(modes(wheel)).startswith('_da_faster_mim/.mim/')


def test_wheel_names_the_licences(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (
            name
            for name in archive.namelist()
            if name.endswith('.dist-info/METADATA')
        )
        metadata = archive.read(name).decode()
    assert 'License-Expression: Apache-2.0' in metadata
    assert 'License-File: LICENSE' in metadata
    assert 'License-File: THIRD_PARTY_NOTICES.md' in metadata
    assert 'Author: The da_faster authors' in metadata
    required = re.findall('^Requires-Dist: (.*)$', metadata, re.MULTILINE)
    # The two lines of OpenMMLab packages exclude each other.
    assert [r for r in required if 'extra ==' not in r] == ['numpy>=1.22']


def test_source_distribution_gives_the_same_wheel(source, wheel, tmp_path):
    shutil.unpack_archive(build('sdist', source, tmp_path / 'sdist'), tmp_path)
    (unpacked,) = tmp_path.glob('da_faster-*')
    assert modes(build('wheel', unpacked, tmp_path / 'wheel')) == modes(wheel)


def models():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    for metafile in index['Import']:
        yield from yaml.safe_load((ROOT / metafile).read_text())['Models']


def test_index_names_every_metafile():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    found = CONFIGS.glob('*/metafile.yml')
    assert sorted(index['Import']) == sorted(
        str(path.relative_to(ROOT)) for path in found
    )


def test_metafiles_name_every_config():
    named = [model['Config'] for model in models()]
    found = {
        str(path.relative_to(ROOT))
        for path in CONFIGS.rglob('*.py')
        if not {'_base_', 'custom'} & set(path.parts)
    }
    assert len(named) == len(set(named))
    assert set(named) == found


def test_models_have_names_of_their_own():
    names = [model['Name'] for model in models()]
    assert len(names) == len(set(names))
    # MIM looks for a config by its file's name, in all folders.
    assert sorted(names) == sorted(
        Path(model['Config']).stem for model in models()
    )


def test_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    text = (ROOT / 'projects/da_faster/__init__.py').read_text()
    assert f"__version__ = '{citation['version']}'" in text


def test_ruff_is_everywhere_of_one_version():
    lock = (ROOT / 'requirements/lock.txt').read_text()
    hooks = (ROOT / '.pre-commit-config.yaml').read_text()
    pinned = re.findall('^ruff==.*$', lock, re.MULTILINE)
    assert len(pinned) == 1
    assert set(re.findall(r'ruff==[^\]]+', hooks)) == set(pinned)
