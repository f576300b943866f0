"""Checks of the arguments that several converters take."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from da_faster.data_conversion.samples import ConversionError


def check_positive(**numbers: int) -> None:
    """Refuses a number below 1. The keywords name the options."""
    for name, number in numbers.items():
        if number < 1:
            raise ConversionError(
                f'--{name.replace("_", "-")} must be at least 1, got {number}.'
            )


def check_choice(choices: Sequence, **values) -> None:
    """Refuses a value that is not one of ``choices``."""
    for name, value in values.items():
        if value not in choices:
            raise ConversionError(
                f'--{name.replace("_", "-")} must be one of '
                f'{", ".join(map(str, choices))}, got '
                f'{value}.'
            )


def class_map(items: Sequence[str]) -> dict[str, str]:
    """Which labels to keep, and under which name.

    Args:
        items: Each ``LABEL`` or ``LABEL=CLASS``. The order of the classes
            gives the category ids 1, 2, ...

    Returns:
        {label of the dataset: class of the result}.
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


def check_existing(
    out: Path, names: Iterable[str], force: bool, option: str = '--out'
) -> None:
    """Raises where ``out/<name>.json`` exists, unless ``force`` is set.

    Converters call it before they read anything. Those that can give the
    result another name say so with ``option``.
    """
    for name in names:
        path = out / f'{name}.json'
        if path.exists() and not force:
            raise ConversionError(
                f'{path} exists: give --force to replace it, or another '
                f'{option}.'
            )
