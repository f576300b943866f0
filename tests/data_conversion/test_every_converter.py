"""Tests of all converters: bytes, --force, errors, calls."""

import subprocess
import sys
from pathlib import Path

import pytest

from converting import TOOLS, fails, fingerprints, load, run, write
from da_faster.data_conversion import CocoSplit, ConversionError, summary
from da_faster.data_conversion import kitti as kitti_converter

COMMANDS = {
    'city': ('cityscapes', 'city'),
    'voc': ('voc', 'VOCdevkit/VOC2007'),
    'kitti': ('kitti', 'kitti'),
    'bdd': ('bdd100k', 'bdd'),
    'any_coco': ('coco_subset', 'labels.json', 'mine/images'),
}


@pytest.mark.parametrize('data', COMMANDS)
def test_same_bytes_and_no_overwriting(data, request):
    request.getfixturevalue(data)
    run(*COMMANDS[data], '--out', 'one')
    run(*COMMANDS[data], '--out', 'two', nproc=3)
    names = sorted(path.name for path in Path('one').iterdir())
    assert names == sorted(path.name for path in Path('two').iterdir())
    for name in names:
        assert Path('one', name).read_bytes() == Path('two', name).read_bytes()
    write('two/other.json', 'kept')
    assert 'exists: give --force' in fails(*COMMANDS[data], '--out', 'two')
    run(*COMMANDS[data], '--out', 'two', '--force')
    assert Path('two/other.json').read_text() == 'kept'
    Path('file').touch()
    assert 'was not written' in fails(*COMMANDS[data], '--out', 'file/sub')


def test_full_disk(voc, monkeypatch):
    """An error while writing leaves the earlier files and no others."""
    run('voc', voc)
    save = CocoSplit.save

    def fail(split, path):
        save(split, path)
        if 'trainval' not in path.name:
            raise OSError('no space left')

    monkeypatch.setattr(CocoSplit, 'save', fail)
    assert 'was not written: no space left' in fails('voc', voc, '--force')


def test_command(voc):
    """The command runs as a program; a worker process meets the error."""
    command = [sys.executable, str(TOOLS / 'voc.py'), str(voc), '--nproc', '2']
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'trainval.json' in done.stdout and 'SHA-256' in done.stdout
    (voc / 'Annotations/000007.xml').write_text('<annotation>')
    before = fingerprints()
    done = subprocess.run(
        command + ['--force'], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count('\n') == 1 and '000007.xml' in done.stderr
    assert fingerprints() == before


def test_from_python(kitti, capsys):
    """The example in the docstring of the package."""
    written = kitti_converter.convert('kitti', classes=['Car=car', 'Van=car'])
    path = Path('kitti/annotations/trainval.json')
    assert list(written) == [path]
    assert written[path].content() == load(path)
    assert written[path].count_boxes() == dict(car=2)
    assert [
        line.split()[:3] for line in summary(written).splitlines()[:2]
    ] == [['annotations', 'images', 'car'], ['trainval.json', '3', '2']]
    # The command prints the summary; convert shows its progress alone.
    assert 'SHA-256' not in capsys.readouterr().out
    with pytest.raises(ConversionError, match='give --force to replace it'):
        kitti_converter.convert('kitti')
    with pytest.raises(ConversionError, match='--nproc must be at least 1'):
        kitti_converter.convert('kitti', force=True, nproc=0)
    # An error of another process arrives as it was raised.
    Path('kitti/training/label_2/000007.txt').write_text('Auto')
    with pytest.raises(ConversionError, match='000007.txt is broken at'):
        kitti_converter.convert('kitti', force=True, nproc=2)
