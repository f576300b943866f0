"""Checks the labels of a few target images."""

import json
import os
import os.path as osp
from pathlib import Path

from da_faster.data_check import by_detector
from da_faster.errors import UserError


def check_true_labels(file: str) -> None:
    """Checks that labels are true, and that their images are the target's.

    A file that cannot be read passes: the data check reports it.

    Raises:
        UserError: If a detector made the labels, or if an image lies outside
            the target folder.
    """
    try:
        content = json.loads(Path(file).read_bytes())
        made = by_detector(content)
        names = [str(image['file_name']) for image in content['images']]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return
    if made:
        raise UserError(
            f'{file} holds labels of a detector, and target_labels are taken '
            'for the truth: label some images, or train on this file as '
            'docs/adapt.md says.'
        )
    outside = [
        name
        for name in names
        if osp.isabs(name) or osp.normpath(name).split(os.sep)[0] == os.pardir
    ]
    if outside:
        raise UserError(
            f'{file}: {len(outside)} of {len(names)} images are not in the '
            f'target, such as {outside[0]}; their file names are relative to '
            'its folder.'
        )
