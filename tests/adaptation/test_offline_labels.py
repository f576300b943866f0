"""tools/pseudo_label.py."""

import json

import pytest
import torch


def test_what_cannot_be_used_leaves_no_folder(
    detector, target, tmp_path, command
):
    config, checkpoint = detector
    for given, sentence in (
        ([config, checkpoint, tmp_path / 'none'], 'is not a folder of images'),
        ([config, tmp_path / 'no.pth', target], 'does not exist'),
        ([config, checkpoint, target, '--threshold', 2], 'must lie in'),
        ([config, checkpoint, target, '--threshold', 1], 'finds nothing in'),
    ):
        out = tmp_path / 'new/x/labels.json'
        with pytest.raises(SystemExit, match=sentence):
            command('pseudo_label.py', *given, '--out', out)
        assert not (tmp_path / 'new').exists()
    (tmp_path / 'file').touch()
    with pytest.raises(SystemExit, match='cannot be made'):
        command('pseudo_label.py', config, checkpoint, target, '--out',
                tmp_path / 'file/x/labels.json')  # fmt: skip


@pytest.mark.parametrize('known', [{}, None])
def test_a_checkpoint_without_names_of_classes(
    detector, target, tmp_path, command, known
):
    """Such a checkpoint has the config's classes."""
    config, checkpoint = detector
    content = torch.load(checkpoint, weights_only=False)
    torch.save(
        dict(content, meta=dict(dataset_meta=known)), tmp_path / 'bare.pth'
    )
    out = tmp_path / 'labels.json'
    command('pseudo_label.py', config, tmp_path / 'bare.pth', target,
            '--out', out, '--threshold', 0.2)  # fmt: skip
    assert [c['name'] for c in json.loads(out.read_text())['categories']] == [
        'box'
    ]
