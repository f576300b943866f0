"""Checks of the arguments that several converters take."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from da_faster.data_conversion.samples import ConversionError


def check_positive(**numbers: int) -> None:
    """Raises a ConversionError for a number below 1.

    Args:
        **numbers: Numbers by option, ``nproc`` for ``--nproc``.
    """
    for name, number in numbers.items():
        if number < 1:
            raise ConversionError(
                f'--{name.replace("_", "-")} must be at least 1, got {number}.'
            )


def check_choice(choices: Sequence, **values) -> None:
    """Raises a ConversionError for a value that is not one of ``choices``.

    Args:
        choices: The values that are allowed.
        **values: Values by option.
    """
    for name, value in values.items():
        if value not in choices:
            raise ConversionError(
                f'--{name.replace("_", "-")} must be one of '
                f'{", ".join(map(str, choices))}, got {value}.'
            )


def class_map(items: Sequence[str]) -> dict[str, str]:
    """Reads --classes: the labels to keep, and the class of each.

    Args:
        items: Each ``LABEL`` or ``LABEL=CLASS``. The order of the classes
            gives the category ids 1, 2, ...

    Returns:
        {label of the dataset: class of the result}.

    Raises:
        ConversionError: If an item has another form, or a label comes twice.
    """
    if isinstance(items, str):
        raise ConversionError(
            f'--classes {items!r} is one text: give a list of labels.'
        )
    names = {}
    for item in items:
        label, equals, name = item.partition('=')
        if not label or (equals and not name) or label in names:
            raise ConversionError(
                f'--classes {item}: give every label once, as LABEL or '
                'LABEL=CLASS.'
            )
        names[label] = name or label
    return names


def check_labels(
    path: Path, noun: str, labels: Iterable[str], known: Iterable[str]
) -> None:
    """Raises a ConversionError for a label that a dataset does not have.

    Args:
        path: The file that lists the labels of the dataset.
        noun: What the dataset calls a label, as "class".
        labels: The labels to check.
        known: The labels of the dataset.
    """
    for label in labels:
        if label not in known:
            raise ConversionError(
                f'{path} has no {noun} {label}: it has {", ".join(known)}.'
            )


def check_existing(
    out: Path, names: Iterable[str], force: bool, option: str = '--out'
) -> None:
    """Raises a ConversionError if ``out/<name>.json`` exists.

    Converters call this function before they read anything.

    Args:
        out: The folder of the annotation files.
        names: Names of the files.
        force: Accept files that exist.
        option: The option that gives the result another path.
    """
    for name in names:
        path = out / f'{name}.json'
        if path.exists() and not force:
            raise ConversionError(
                f'{path} exists: give --force to replace it, or another '
                f'{option}.'
            )
