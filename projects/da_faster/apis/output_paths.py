"""Checks paths that a user gives, before there is work to lose."""

import os
import os.path as osp

from da_faster.errors import UserError


def check_file(path: str, noun: str) -> None:
    """Raises a UserError if ``path`` is no file; ``noun`` says what it is."""
    if not osp.isfile(path):
        raise UserError(f'{noun} {path} does not exist; check the path.')


def make_folder(path: str, option: str) -> None:
    """Makes a folder; raises a UserError if nothing can be written there."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise UserError(
            f'{path} cannot be made ({error.strerror}): give another {option}.'
        ) from error
    if not os.access(path, os.W_OK):
        raise UserError(f'{path} cannot be written to: give another {option}.')


def check_possible_folder(path: str, option: str) -> None:
    """Raises a UserError if a folder could not be made, without making it."""
    above = osp.abspath(path)
    while not osp.lexists(above):
        above = osp.dirname(above)
    if not (osp.isdir(above) and os.access(above, os.W_OK)):
        raise UserError(
            f'{path} cannot be made, or not be written to: give another '
            f'{option}.'
        )


def make_output_folder(path: str, option: str) -> None:
    """Makes the folder of an output file.

    Raises:
        UserError: If the file could not be written.
    """
    if osp.isdir(path):
        raise UserError(f'{path} is a folder: give another {option}.')
    make_folder(osp.dirname(path) or '.', option)
