"""Errors that tell users what to do, and how they are shown."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.logging import print_log


class UserError(Exception):
    """An error that the user can mend.

    The text is one sentence: what is wrong, in which file, and how to mend
    it. A command prints the sentence alone. Code that calls the package
    catches a UserError as any other exception.
    """

    @property
    def sentence(self) -> str:
        """The text without the stack trace of a data loader's worker.

        torch raises the error of a worker anew and puts the stack trace of the
        worker before the text.
        """
        return str(self).rstrip().split(f'{type(self).__name__}: ')[-1]


def describe_error(error: BaseException) -> str:
    """Returns the type and the text of an exception, on one line."""
    return f'{type(error).__name__}: {" ".join(str(error).split())}'


@contextmanager
def logged() -> Iterator[None]:
    """Logs the sentence of a UserError, and raises the error again."""
    try:
        yield
    except UserError as error:
        print_log(error.sentence, logger='current', level=logging.ERROR)
        raise
