"""tools/pseudo_label.py."""

import pytest


def test_what_cannot_be_used_leaves_no_folder(
    detector, target, tmp_path, command
):
    config, checkpoint = detector
    for given, sentence in (
        ([config, checkpoint, tmp_path / 'none'], 'is not a folder of images'),
        ([config, tmp_path / 'no.pth', target], 'does not exist'),
        ([config, checkpoint, target, '--threshold', 2], 'must lie in'),
    ):
        out = tmp_path / 'new/x/labels.json'
        with pytest.raises(SystemExit, match=sentence):
            command('pseudo_label.py', *given, '--out', out)
        assert not (tmp_path / 'new').exists()
