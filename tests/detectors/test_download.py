"""Checkpoints of URLs."""

from pathlib import Path

import torch

from da_faster.detectors.download import download


def test_urls_of_one_name_have_a_file_each(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, '_hub_dir', str(tmp_path / 'hub'))
    urls = []
    for folder in 'ab':
        path = tmp_path / folder / 'latest.pth'
        path.parent.mkdir()
        path.write_text(folder)
        urls.append(path.as_uri())
    for _ in range(2):  # downloaded, then found
        files = [Path(download(url)) for url in urls]
        assert [file.read_text() for file in files] == ['a', 'b']
        (tmp_path / 'a/latest.pth').unlink(missing_ok=True)
    for file in files:
        assert file.parent == tmp_path / 'hub/checkpoints'
        assert file.match('latest-*.pth')
