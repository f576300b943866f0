"""Runs the commands of docs/index.md on tiny data."""

import json
from fnmatch import fnmatch

import pytest
from mmengine.runner import find_latest_checkpoint

from launching import call

from .pages import ROOT, commands

# What keeps an adaptation on tiny data short.
QUICK = [
    '--iters', '2', '--cfg-options',
    'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False',
    'train_cfg.target_dataloader.num_workers=0',
    'train_cfg.target_dataloader.persistent_workers=False',
    'model.pseudo_labels.threshold=0.2',
    'default_hooks.checkpoint.interval=2',
]  # fmt: skip


@pytest.mark.slow
def test_the_first_page(tiny_config, tiny_data, tmp_path, monkeypatch):
    """Runs the commands with other file names and shorter trainings."""
    monkeypatch.chdir(tmp_path)
    stand_in = {
        'configs/*.py': tiny_config,
        'work_dirs/*.pth': 'work_dirs/tiny/iter_6.pth',
        'data/city2foggy/target*': tiny_data / 'target',
    }

    def replaced(word: str) -> str:
        for pattern, name in stand_in.items():
            word = str(name) if fnmatch(word, pattern) else word
        return word

    typed = [
        [words[1].removeprefix('tools/'), *map(replaced, words[2:])]
        for words in commands((ROOT / 'docs/index.md').read_text())
        if words[0] == 'python'
    ]
    predict, train, resume, test, adapt = typed
    assert [words[0] for words in typed] == [
        'predict.py', 'train.py', 'train.py', 'test.py', 'adapt.py',
    ]  # fmt: skip

    call(*train, train_cfg__max_iters=3)
    assert find_latest_checkpoint('work_dirs/tiny').endswith('iter_3.pth')
    call(*resume, train_cfg__max_iters=6)
    assert find_latest_checkpoint('work_dirs/tiny').endswith('iter_6.pth')
    assert (tmp_path / 'work_dirs/tiny/iter_3.pth').is_file()
    call(*test)
    logs = sorted(tmp_path.glob('work_dirs/tiny/*/*.json'))
    assert any('coco/bbox_mAP' in log.read_text() for log in logs)

    call(*predict, unique=False)
    found = sorted(tmp_path.glob('predictions/*.json'))
    assert len(found) == 2  # two detectors, side by side
    assert len(json.loads(found[0].read_text())['images']) == 8
    assert len(list(tmp_path.glob('predictions/drawn/**/*.png'))) == 8

    call(*adapt, *QUICK, 'experiment_name=get_started', unique=False)
    (adapted,) = tmp_path.glob('work_dirs/*_to_target/adapted.pth')
    assert adapted.with_suffix('.py').is_file()
