"""What commands need before the package, whose import takes seconds."""

import ast
import re
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence

from mmengine.config import DictAction


class KeyValue(DictAction):
    """MMEngine's DictAction, with a sentence for what it cannot read.

    As with any other wrong option the command then ends with exit code 2.
    DictAction drops the spaces of a value. Here a text keeps its own.
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
        found = getattr(namespace, self.dest)
        for text in values:
            key, value = text.split('=', maxsplit=1)
            if ' ' in value.strip():
                try:
                    found[key] = with_spaces(value.strip())
                except ValueError:
                    parser.error(
                        f'{option_string} {text}: write a text with spaces '
                        """in quotes, KEY="'a (b)'" or KEY="['a b','c']"."""
                    )


def with_spaces(value: str) -> object:
    """What a value that has spaces stands for.

    Args:
        value (str): A Python literal, a list of texts without spaces of their
            own, or one text.

    Raises:
        ValueError: If a text in a list has spaces, but no quotes.
    """
    if value[0] in '[({"\'':
        try:
            found = ast.literal_eval(value)
        except (SyntaxError, ValueError):
            pass
        else:  # DictAction's ('a') is a tuple
            alone = value[0] == '(' and not isinstance(found, tuple)
            return (found,) if alone else found
    if value[0] not in '[(' and ',' not in value:
        return value.strip('\'"')
    if re.search(r'[^\s,(\[] +[^\s,)\]]', value):
        raise ValueError(value)
    return DictAction._parse_iterable(value)


def benchmark_parser(doc: str | None, repeats: int) -> ArgumentParser:
    """A parser of the options that all benchmarks of speed have.

    Args:
        doc (str): The command's docstring, which --help shows.
        repeats (int): Default of --repeats.
    """
    parser = ArgumentParser(
        description=doc, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--pair',
        metavar='FOLDER',
        help='take the images of a pair that tools/dataset_converters/'
        "city2foggy.py generated instead of the config's own",
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=KeyValue, help='as of train.py'
    )
    parser.add_argument('--repeats', type=int, default=repeats)
    return parser
