"""Is the data what the config says?

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
from .parts import (
    ROLES,
    DataReader,
    Finding,
    Part,
    by_detector,
    dataset_classes,
)

__all__ = [
    'Checker',
    'DataReader',
    'Finding',
    'Part',
    'ROLES',
    'by_detector',
    'check',
    'dataset_classes',
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
        read_images (bool or sequence of str): Also read every image file, or
            those of some roles: broken ones, sizes other than the
            annotations', images that two of the sets share under different
            names.
        nproc (int, optional): Threads that read images. Default: one a core.
        roles (sequence of str): Which of source, target, test and val to look
            at.

    Raises:
        UserError: If ``nproc`` is not at least 1.

    Returns:
        Checker: Its ``findings`` are pairs (fatal, sentence), its ``parts``
        the datasets that could be read.
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
    mend: str = 'tools/check_data.py CONFIG shows more, --skip-data-check '
    'goes on nevertheless.',
    read_images: Sequence[str] = (),
) -> None:
    """Prints what the check finds in the data of some roles.

    Args:
        cfg (Config): A train config.
        roles (sequence of str): Of ``check``.
        mend (str): What the last sentence says.
        read_images (sequence of str): Of ``check``.

    Raises:
        UserError: If a finding is fatal. Of several processes only the first
            one says why.
    """
    findings = check(cfg, read_images, roles=roles).findings
    first = is_first_process()
    if first:
        for fatal, text in findings:
            if not fatal:
                print(f'data warning: {text}', flush=True)
    errors = [f'data error: {text}' for fatal, text in findings if fatal]
    if errors:
        errors.append(f'The data check failed, see above; {mend}')
        raise UserError('\n'.join(errors) if first else '')
