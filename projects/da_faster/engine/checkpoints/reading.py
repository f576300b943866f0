"""Reads a checkpoint without a Runner, and without running code from it."""

import pickle
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import torch

from da_faster.errors import UserError

from .loading import check_torch_version


def read_checkpoint(
    path: Path, trust: bool = False, allow: Sequence = ()
) -> dict:
    """Reads a checkpoint to the CPU, without running code from it.

    Args:
        path: A file that torch.save wrote; it must hold a dict.
        trust: Unpickle the file instead, whatever code it runs.
        allow: Functions and classes that the file may use beside tensors and
            plain data.

    Raises:
        UserError: If the file is missing, broken, no checkpoint, or if it
            holds more than it may.
    """
    check_torch_version()
    # On its way out the context disallows all that it was given.
    known = torch.serialization.get_safe_globals()
    more = [item for item in allow if item not in known]
    try:
        with torch.serialization.safe_globals(more):
            checkpoint = torch.load(
                path, map_location='cpu', weights_only=not trust
            )
    except FileNotFoundError:
        raise UserError(f'{path} does not exist; check the path.') from None
    except Exception as error:  # a damaged file may raise anything
        if isinstance(error, pickle.UnpicklingError) and not trust:
            raise UserError(
                f'{path} is no checkpoint, or one that holds more than '
                'tensors and plain data: give --trust-checkpoint if you trust '
                'its maker.'
            ) from error
        reason = str(error).split('. ')[0]
        # The text of a LookupError is only a key.
        if not reason or isinstance(error, LookupError):
            reason = f'{type(error).__name__} {reason}'.rstrip()
        raise UserError(
            f'{path} is not a readable checkpoint ({reason}): '
            'download or copy it again.'
        ) from error
    if not isinstance(checkpoint, dict):
        raise UserError(
            f'{path} holds a {type(checkpoint).__name__}, not a '
            'dictionary: it is not a checkpoint.'
        )
    check_parts(checkpoint, path)
    return checkpoint


def check_parts(checkpoint: dict, path: Path) -> None:
    """Raises a UserError if a known part of a checkpoint is no dictionary.

    Args:
        checkpoint: The content of a file.
        path: The file, for the message.
    """
    meta = checkpoint.get('meta')
    meta = {} if meta is None else meta
    known = meta.get('dataset_meta') if isinstance(meta, Mapping) else None
    for name, part in (
        ('state_dict', checkpoint.get('state_dict', {})),
        ('meta', meta),
        ('dataset_meta', {} if known is None else known),
    ):
        if not isinstance(part, Mapping):
            raise UserError(
                f'{path} has a {type(part).__name__} as {name}, not a '
                'dictionary: it is not a checkpoint of MMDetection.'
            )


def name_some(state: str, names: Sequence[str], limit: int = 8) -> str:
    """Counts and names weights, '2 missing: a, b'; '' without names."""
    more = ', ...' if len(names) > limit else ''
    shown = ', '.join(sorted(names)[:limit])
    return f'{len(names)} {state}: {shown}{more}' if names else ''


def check_weights(
    path: Path,
    found: Collection[str],
    expected: Collection[str],
    misshapen: Collection[str],
) -> None:
    """Raises a UserError if the weights of a file do not fit a model.

    Args:
        path: The file, for the message.
        found: Names of the weights in the file.
        expected: Names of the weights of the model.
        misshapen: Names, or sentences, of weights of another shape.
    """
    problems = [
        name_some('missing', set(expected).difference(found)),
        name_some('unknown', set(found).difference(expected)),
        name_some('of another shape', misshapen),
    ]
    if any(problems):
        raise UserError(
            f'{path} does not fit the config; '
            f'{"; ".join(filter(None, problems))}.'
        )
