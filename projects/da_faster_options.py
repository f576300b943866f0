"""What commands need before the package, whose import takes seconds."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from mmengine.config import DictAction


class KeyValue(DictAction):
    """MMEngine's DictAction, with a sentence for what it cannot read.

    As with any other wrong option the command then ends with exit code 2.
    """

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: Sequence[str],
        option_string: str | None = None,
    ) -> None:
        for text in values:
            if text.find('=') < 1:
                parser.error(
                    f'{option_string} {text}: write KEY=VALUE, without white '
                    'space around the =.'
                )
        try:
            super().__call__(parser, namespace, values, option_string)
        except (AssertionError, RecursionError):
            parser.error(
                f'{option_string} {" ".join(values)}: brackets do not match; '
                'write a list of lists as KEY="[(a,b),(c,d)]".'
            )
