"""The parser, options and error handling that all commands share.

A command reads its options before it imports the package, as that import takes
seconds. So this module imports neither torch nor the package.
"""

import ast
import re
from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    Namespace,
    RawDescriptionHelpFormatter,
)
from collections.abc import Callable, Sequence
from functools import wraps

from mmengine.config import DictAction


def command(main: Callable[..., None]) -> Callable[..., None]:
    """Decorates the ``main`` of a command, for errors that a user can mend.

    A UserError ends the command with the error's sentence and exit code 1.
    Any other error keeps its stack trace.
    """

    @wraps(main)
    def run(*args: object) -> None:
        try:
            main(*args)
        except Exception as error:
            from da_faster.errors import UserError

            if isinstance(error, UserError):
                raise SystemExit(error.sentence or 1) from None
            raise

    return run


class CommandParser(ArgumentParser):
    """An ArgumentParser with a method for each option of several commands.

    An option of one command alone is added with ``add_argument``.

    Args:
        doc (str): The command's docstring, which --help shows.
        **kwargs: Keywords of ArgumentParser.
    """

    def __init__(self, doc: str | None, **kwargs: object) -> None:
        super().__init__(
            description=doc,
            formatter_class=RawDescriptionHelpFormatter,
            **kwargs,
        )

    def add_detector(self) -> None:
        """Adds CONFIG and CHECKPOINT of any detector."""
        self.add_argument(
            'config', help='a config file, or mmdet::NAME, or da_faster::NAME'
        )
        self.add_argument(
            'checkpoint', help='its checkpoint: a file, or a URL'
        )

    def add_out(self, help: str, **kwargs: object) -> None:
        """Adds --out: the file or folder to write.

        Args:
            help (str): What is written, and the default.
            **kwargs: Keywords of ``add_argument``.
        """
        self.add_argument('--out', help=help, **kwargs)

    def add_force(self, earlier: str = 'an earlier result') -> None:
        """Adds --force: replace the result of an earlier call."""
        self.add_argument(
            '--force', action='store_true', help=f'replace {earlier}'
        )

    def add_nproc(self, workers: str = 'processes') -> None:
        """Adds --nproc: the number of processes or threads."""
        self.add_argument(
            '--nproc', type=int, help=f'{workers} (default: one per core)'
        )

    def add_cfg_options(
        self, config: str = 'the config', **kwargs: object
    ) -> None:
        """Adds --cfg-options: settings that override those of a config.

        Args:
            config (str): What to call the config.
            **kwargs: Keywords of ``add_argument``.
        """
        self.add_argument(
            '--cfg-options',
            nargs='+',
            metavar='KEY=VALUE',
            help=f'override settings of {config}; a list: KEY="[a,b]" or '
            'KEY=a,b; a list of lists: KEY="[(a,b),(c,d)]"; no white space '
            'around the =',
            **dict(action=KeyValue) | kwargs,
        )

    def add_trust_checkpoint(self) -> None:
        """Adds --trust-checkpoint: load files that may run code."""
        self.add_argument(
            '--trust-checkpoint',
            action='store_true',
            help='load checkpoints that hold more than weights, which may run '
            'code: only for files of people you trust',
        )

    def add_student(self) -> None:
        """Adds --student: the student's weights of a mean teacher."""
        self.add_argument(
            '--student',
            action='store_true',
            help="take the student's weights of a mean teacher (default: the "
            "teacher's)",
        )

    def add_launcher(self) -> None:
        """Adds --launcher, and the --local-rank that launchers pass."""
        self.add_argument(
            '--launcher',
            choices=['none', 'pytorch', 'slurm', 'mpi'],
            default='none',
            help='what starts the processes (default: none)',
        )
        self.add_argument(
            '--local_rank',
            '--local-rank',
            type=int,
            default=0,
            help='set by torch.distributed.launch',
        )

    def add_classes(self, default: str) -> None:
        """Adds --classes of a dataset converter.

        Args:
            default (str): The classes without this option.
        """
        self.add_argument(
            '--classes',
            nargs='+',
            metavar='LABEL[=CLASS]',
            help='labels to keep, renamed where =CLASS says so; the order of '
            'the classes gives the category ids 1, 2, ... (default: '
            f'{default})',
        )

    def add_skip_broken(self) -> None:
        """Adds --skip-broken of a dataset converter."""
        self.add_argument(
            '--skip-broken',
            action='store_true',
            help='leave out images that cannot be used, and name them',
        )


def at_least(least: int) -> Callable[[str], int]:
    """Makes a ``type`` for ``add_argument``: integers from ``least`` on."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise ArgumentTypeError(f'{text}: it takes at least {least}')
        return value

    return number


class KeyValue(DictAction):
    """Reads KEY=VALUE options as MMEngine's DictAction, with two differences.

    An option that cannot be read ends the command with a sentence and exit
    code 2. A text keeps its spaces, which DictAction drops.
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
    """Parses a value that has spaces.

    Args:
        value (str): A Python literal, a list of texts that have no spaces, or
            one text.

    Returns:
        object: The literal, the list or the text.

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
