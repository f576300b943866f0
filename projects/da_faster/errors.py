"""Errors that tell the user what to do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.logging import print_log


class UserError(Exception):
    """Something that the user can mend.

    Its text is one sentence: what is wrong, with which file, and how to mend
    it. Commands print the sentence alone; code that calls the package catches
    it like any other exception.
    """

    @property
    def sentence(self) -> str:
        """The text, without the stack trace of a data loader's worker.

        torch raises an error of a worker again, with the stack trace before
        the text.
        """
        return str(self).rstrip().split(f'{type(self).__name__}: ')[-1]


def told(error: BaseException) -> str:
    """The kind of an exception and its text, on one line."""
    return f'{type(error).__name__}: {" ".join(str(error).split())}'


@contextmanager
def one_sentence() -> Iterator[None]:
    """Ends the program with the sentence of a UserError, exit code 1."""
    try:
        yield
    except UserError as error:
        raise SystemExit(error.sentence or 1) from None


@contextmanager
def logged() -> Iterator[None]:
    """Writes the sentence of a UserError to the log of the current run."""
    try:
        yield
    except UserError as error:
        print_log(error.sentence, logger='current', level=logging.ERROR)
        raise
