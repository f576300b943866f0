"""check_data.py, and the check before train.py and test.py."""

from pathlib import Path

import pytest

from da_faster.apis import testing, training


def write_config(data, **changes) -> Path:
    data.merge_from_dict(changes)
    path = Path('config.py')
    data.dump(path)
    return path


def test_commands(data, monkeypatch, capsys, command):
    """check_data.py prints all; train.py stops before it builds a Runner."""
    path = write_config(data)
    command('check_data.py', path)
    out = capsys.readouterr().out
    for text in (
        'source: 3 images, 3 boxes (cat 2, dog 1)',
        'target: 3 images, no labels',
        'test: 3 images',
        '9/9',
        'No error found.',
    ):
        assert text in out
    with pytest.raises(SystemExit, match='1 error'):
        command(
            'check_data.py',
            path,
            '--fast',
            '--cfg-options',
            'expected_images=500',
        )
    assert 'ERROR: test ./test.json has 3 images' in capsys.readouterr().out

    monkeypatch.setattr(training.Runner, 'from_cfg', lambda cfg: 1 / 0)
    argv = ['train.py', path, '--cfg-options', 'expected_images=500']
    with pytest.raises(SystemExit, match='data check failed') as error:
        command(*argv)
    assert 'data error: test ./test.json has 3' in str(error.value)
    monkeypatch.setenv('RANK', '1')
    with pytest.raises(SystemExit, match='^1$'):
        command(*argv)
    with pytest.raises(ZeroDivisionError):
        command(*argv, '--skip-data-check')

    monkeypatch.delenv('RANK')
    monkeypatch.setattr(testing.Runner, 'from_cfg', lambda cfg: 1 / 0)
    Path('x.pth').touch()
    argv = ['test.py', path, 'x.pth', '--cfg-options']
    argv.append('test_dataloader.dataset.ann_file=source.json')
    with pytest.raises(SystemExit, match='scores with test.json'):
        command(*argv)
    with pytest.raises(ZeroDivisionError):
        command(*argv, '--skip-data-check')
    argv = ['test.py', path, 'x.pth', '--cfg-options', 'test_dataloader=None']
    with pytest.raises(SystemExit, match='has no test_dataloader, so there'):
        command(*argv)
