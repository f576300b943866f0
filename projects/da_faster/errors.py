"""Errors that tell the user what to do."""
import logging
from contextlib import contextmanager
from typing import Iterator

from mmengine.logging import print_log


class UserError(Exception):
    """Something that the user can mend.

    Its text is one sentence: what is wrong, with which file, and how to mend
    it. Commands print the sentence alone; code that calls the package catches
    it like any other exception.
    """


@contextmanager
def one_sentence(log: bool = False) -> Iterator[None]:
    """Ends the program with the sentence of a UserError, exit code 1.

    Args:
        log (bool): Also write the sentence to the log of the current run.
    """
    try:
        yield
    except UserError as error:
        # An error of a data loader's worker arrives as its stack trace, the
        # sentence behind the error's name at the end.
        name = type(error).__name__
        sentence = str(error).rstrip()
        if f'{name}: ' in sentence:
            sentence = sentence.rsplit(f'{name}: ', 1)[-1]
        if log:
            print_log(sentence, logger='current', level=logging.ERROR)
        raise SystemExit(sentence) from None
