"""Checks that the data is what a config says.

Example::

    from mmengine.config import Config
    from da_faster.data_check import check

    cfg = Config.fromfile('configs/da_faster_city2foggy.py')
    for fatal, text in check(cfg).findings:
        print('ERROR' if fatal else 'warning', text)
"""

import os
from collections.abc import Sequence

from mmengine.config import Config

from da_faster.config_files import enter_scope
from da_faster.engine.work_dir_lock import is_first_process
from da_faster.errors import UserError

from .checks import Checker
from .images import check_images, check_some_images
from .parts import ROLES, Part, by_detector
from .reader import DataReader, Finding

__all__ = [
    'Checker',
    'DataReader',
    'Finding',
    'Part',
    'ROLES',
    'by_detector',
    'check',
    'stop_if_fatal',
]


def check(
    cfg: Config,
    read_images: bool | Sequence[str] = False,
    nproc: int | None = None,
    roles: Sequence[str] = ROLES,
) -> Checker:
    """Looks for errors in the data of a config.

    Args:
        cfg (Config): A train config.
        read_images (bool or Sequence[str]): Whether to read every image file,
            or the roles whose files to read. This finds broken files, sizes
            other than the annotations', and images that two sets share under
            different names.
        nproc (int, optional): Threads that read images. Default: one per core.
        roles (Sequence[str]): Which of source, target, test and val to check.

    Raises:
        UserError: If ``nproc`` is not at least 1.

    Returns:
        Checker: ``findings`` are pairs (fatal, sentence), ``parts`` the
        datasets that could be read.
    """
    if nproc is not None and nproc < 1:
        raise UserError(f'--nproc must be at least 1, got {nproc}.')
    enter_scope(cfg)
    checker = Checker(cfg, roles)
    checker.run()
    read = roles if read_images is True else read_images or ()
    some = [part for part in checker.parts if part.role not in read]
    check_some_images(checker, some)
    whole = [part for part in checker.parts if part.role in read]
    check_images(checker, whole, nproc or os.cpu_count())
    return checker


def stop_if_fatal(
    cfg: Config,
    roles: Sequence[str] = ROLES,
    advice: str = 'tools/check_data.py CONFIG shows more, --skip-data-check '
    'continues nevertheless.',
    read_images: Sequence[str] = (),
) -> None:
    """Prints the warnings of :func:`check`, and raises its errors.

    Args:
        cfg (Config): A train config.
        roles (Sequence[str]): Which of source, target, test and val to check.
        advice (str): What to do; it ends the last sentence.
        read_images (Sequence[str]): The roles whose image files to read.

    Raises:
        UserError: If a finding is fatal. In a distributed training only the
            first process gives the sentences.
    """
    findings = check(cfg, read_images, roles=roles).findings
    first = is_first_process()
    if first:
        for fatal, text in findings:
            if not fatal:
                print(f'data warning: {text}', flush=True)
    errors = [f'data error: {text}' for fatal, text in findings if fatal]
    if errors:
        errors.append(f'The data check failed, see above; {advice}')
        raise UserError('\n'.join(errors) if first else '')
