"""tools/analysis/fis.py."""

import json
import shutil

import pytest


@pytest.fixture
def run(detector, tmp_path):
    """A stock training's work dir, with two whole checkpoints."""
    config, checkpoint = detector
    work_dir = tmp_path / 'pair/method/seed0'
    work_dir.mkdir(parents=True)
    shutil.copy(config, work_dir)
    for number in (2, 10):
        shutil.copy(checkpoint, work_dir / f'epoch_{number}.pth')
    return work_dir


def scores(tmp_path, content):
    path = tmp_path / 'scores.json'
    path.write_text(json.dumps(content))
    return path


def test_epochs_are_ranked_and_the_last_one_has_the_score(
    run, target, tmp_path, command, capsys
):
    known = scores(tmp_path, dict(scores=dict(method={'0': dict(AP50=12)})))
    command('analysis/fis.py', target, run, '--num', 2, '--scores', known)
    lines = capsys.readouterr().out.splitlines()
    assert sum('epoch_' in line for line in lines) == 2
    (scored,) = [line for line in lines if 'AP50 12.0' in line]
    assert scored.endswith('epoch_10.pth')


def test_the_others_are_ranked_beside_a_broken_one(
    run, target, command, capsys
):
    broken = run / 'epoch_2.pth'
    broken.write_bytes(broken.read_bytes()[:1000])
    command('analysis/fis.py', target, run, '--num', 2)
    said = capsys.readouterr()
    assert 'epoch_10.pth' in said.out and 'epoch_2.pth' not in said.out
    (line,) = [x for x in said.err.splitlines() if 'Not ranked' in x]
    assert f'{broken} is not a readable checkpoint' in line
    (run / 'epoch_10.pth').write_bytes(b'')
    with pytest.raises(SystemExit, match='is not a readable checkpoint'):
        command('analysis/fis.py', target, run, '--num', 2)


@pytest.mark.parametrize(
    'content',
    [[1], dict(scores=[1]), dict(scores=dict(m={'0': dict(AP50=None)}))],
)
def test_a_file_that_has_no_scores(run, target, tmp_path, command, content):
    known = scores(tmp_path, content)
    with pytest.raises(SystemExit, match='is not the scores.json of'):
        command('analysis/fis.py', target, run, '--scores', known)
