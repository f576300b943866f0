"""An adaptation that is resumed, in another folder and after its end."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest
from mmengine.config import Config

from da_faster.adaptation import adapt_config
from da_faster.adaptation.resuming import check_same_start, prepare_resume
from da_faster.adaptation.work_dir import WorkDir
from da_faster.errors import UserError

from .test_command import QUICK


@pytest.mark.slow
def test_the_written_config_stays_and_the_folder_may_be_copied(
    detector, target, tiny_data, tmp_path, command, capsys
):
    run, moved = tmp_path / 'run', tmp_path / 'moved'
    given = [*detector, '--target', target]
    command('adapt.py', *given, '--iters', 2, '--work-dir', run,
            '--test-labels', tiny_data / 'test.json', '--test-images',
            tiny_data / 'test', *QUICK, 'experiment_name=adapt_moved',
            )  # fmt: skip
    measured = re.findall('coco/bbox_mAP: .* adapted', capsys.readouterr().out)
    assert measured
    text = (run / 'adapt.py').read_text()
    written = Config.fromfile(run / 'adapt.py')
    assert written.load_from == str(run / 'start.pth')
    assert not written.resume
    assert 'work_dir' not in written
    shutil.copytree(run, moved)
    (moved / 'adapted.pth').unlink()
    changed = text.replace('adapt_moved', 'adapt_again')
    # What a Runner that was killed leaves.
    settings = "resume = True\nload_from = 'gone.pth'\nwork_dir = 'run'\n"
    (moved / 'adapt.py').write_text(f'{changed}\n{settings}')
    capsys.readouterr()
    command('adapt.py', *given, '--work-dir', moved, '--resume')
    said = capsys.readouterr().out
    assert re.findall('coco/bbox_mAP: .* adapted', said) == measured
    assert (moved / 'adapted.pth').exists()
    written = Config.fromfile(moved / 'adapt.py')
    assert written.load_from == str(moved / 'start.pth')
    assert not written.resume
    assert 'work_dir' not in written
    commented = '# Why: ...\n' + (moved / 'adapt.py').read_text()
    (moved / 'adapt.py').write_text(commented)
    resume = WorkDir(moved), str(target), str(detector[1]), True, print
    prepare_resume(*resume)
    assert (moved / 'adapt.py').read_text() == commented
    (moved / 'adapt.py').write_text(f'{commented}\ntest_dataloader = None')
    with pytest.raises(UserError, match='has no test_dataloader: complete'):
        prepare_resume(*resume)
    (moved / 'adapt.py').write_text(commented)
    weights = tmp_path / 'newer.pth'
    shutil.copy(run / 'iter_2.pth', weights)
    with pytest.raises(SystemExit, match='which is not .*newer.pth: give'):
        command('adapt.py', detector[0], weights, '--target', target,
                '--work-dir', moved, '--resume')  # fmt: skip
    other = tmp_path / 'other' / 'target'
    shutil.copytree(target, other)
    with pytest.raises(SystemExit, match='adapts to .*, not to '):
        command('adapt.py', *detector, '--target', other, '--work-dir', moved,
                '--resume')  # fmt: skip


def test_a_source_that_is_elsewhere_is_one_sentence(
    detector, target, tmp_path, command, monkeypatch
):
    """Relative paths in adapt.py are of the folder it was started in."""
    run = tmp_path / 'run'
    run.mkdir()
    settings = dict(source=True, load_from='start.pth')
    cfg = adapt_config(Config.fromfile(detector[0]), target, **settings)
    source = cfg.train_dataloader.dataset
    root = Path(source.data_root)
    source.data_root = f'{root.name}/'
    text = cfg.pretty_text
    (run / 'adapt.py').write_text(text)
    monkeypatch.chdir(root.parent)
    resume = WorkDir(run), str(target), str(detector[1]), True, print
    with pytest.raises(UserError, match='start.pth is gone'):
        prepare_resume(*resume)
    (run / 'start.pth').touch()
    (run / 'start.py').touch()
    prepare_resume(*resume)
    (run / 'adapt.py').write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match='where you started it first') as end:
        command('adapt.py', *detector, '--target', target, '--work-dir', run,
                '--resume')  # fmt: skip
    assert f'source {root.name}/source.json does not exist' in str(end.value)
    assert (run / 'adapt.py').read_text() == text


def test_the_checkpoint_that_was_begun_with(tmp_path):
    """That checkpoint may be gone, but no other may take its place."""
    file = tmp_path / 'adapt.py'

    def need(checkpoint: str) -> None:
        check_same_start(Config.fromfile(file), checkpoint, file)

    file.write_text('x = 1\n')
    need('any.pth')
    file.write_text("adaptation = dict(checkpoint='https://a/x.pth')\n")
    need('https://a/x.pth')
    with pytest.raises(UserError, match='adapts https://a/x.pth, which is'):
        need('https://b/x.pth')
    weights = tmp_path / 'x.pth'
    weights.write_bytes(b'1')
    digest = hashlib.sha256(b'1').hexdigest()
    file.write_text(
        f"adaptation = dict(checkpoint='x.pth', sha256='{digest}')\n"
    )
    need(str(weights))
    need(str(tmp_path / 'gone.pth'))
    weights.write_bytes(b'2')
    with pytest.raises(UserError, match='another --work-dir'):
        need(str(weights))


@pytest.mark.parametrize(
    'text, sentence',
    [('x = (', 'is not a config'), ('x = 1', 'has no model, train_cfg')],
)
def test_an_edit_that_broke_the_config(target, tmp_path, text, sentence):
    for name in ('start.pth', 'start.py'):
        (tmp_path / name).touch()
    (tmp_path / 'adapt.py').write_text(text)
    with pytest.raises(UserError, match=sentence):
        prepare_resume(WorkDir(tmp_path), str(target), 'x.pth', True, print)
