"""Checkpoints that are given by a URL."""

import hashlib
import os.path as osp
from pathlib import Path
from urllib.parse import urlparse

from torch.hub import download_url_to_file, get_dir

from da_faster.errors import UserError


def download(url: str) -> str:
    """Downloads a file once, into the folder where torch keeps downloads.

    A hash of the URL in the file name tells ``latest.pth`` of one address from
    ``latest.pth`` of another. No code of the file runs.

    Raises:
        UserError: If the file cannot be downloaded.
    """
    stem, suffix = osp.splitext(osp.basename(urlparse(url).path))
    digest = hashlib.sha256(url.encode()).hexdigest()[:8]
    path = Path(get_dir(), 'checkpoints', f'{stem}-{digest}{suffix}')
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            download_url_to_file(url, str(path))
        except (OSError, ValueError) as error:
            raise UserError(
                f'{url} could not be downloaded ({error}).'
            ) from error
    return str(path)
