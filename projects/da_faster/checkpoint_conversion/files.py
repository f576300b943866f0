"""Reads the checkpoints to convert, and writes the results."""

import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from mmengine.config import Config

from da_faster.config_files import enter_scope, read_config
from da_faster.engine.checkpoints.loading import check_torch_version
from da_faster.errors import UserError


def load_config(path: Path, cfg_options: Mapping | None = None) -> Config:
    """Reads a config and makes its default scope the current one.

    Args:
        path: The config file.
        cfg_options: Settings to override, by dotted name.

    Raises:
        UserError: If there is no such file.
    """
    cfg = read_config(path, cfg_options)
    enter_scope(cfg)
    return cfg


def read(path: Path, trust: bool = False, allow: Sequence = ()) -> dict:
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
    try:
        with torch.serialization.safe_globals(list(allow)):
            checkpoint = torch.load(
                path, map_location='cpu', weights_only=not trust
            )
    except FileNotFoundError:
        raise UserError(f'{path} does not exist; check the path.') from None
    except Exception as error:  # whatever bytes do to a reader
        if isinstance(error, pickle.UnpicklingError) and not trust:
            raise UserError(
                f'{path} is no checkpoint, or one that holds more than '
                'tensors and plain data: give --trust-checkpoint if you trust '
                'its maker.'
            ) from error
        reason = str(error).split('. ')[0]
        if not reason or isinstance(error, LookupError):  # else a bare key
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
    need_parts(checkpoint, path)
    return checkpoint


def need_parts(checkpoint: dict, path: Path) -> None:
    """Raises a UserError where a known part is of another kind.

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


def name_some(what: str, names: Sequence[str], limit: int = 8) -> str:
    """``2 missing: a, b``; the empty string without names."""
    more = ', ...' if len(names) > limit else ''
    shown = ', '.join(sorted(names)[:limit])
    return f'{len(names)} {what}: {shown}{more}' if names else ''


def need_free(paths: Sequence[Path], force: bool) -> None:
    """Raises a UserError if a result exists and may not be replaced."""
    for path in paths:
        if path.is_dir():
            raise UserError(f'{path} is a folder: give another output.')
        if path.exists() and not force:
            raise UserError(
                f'{path} exists: give --force to replace it, or '
                'another output.'
            )


def write(
    results: dict[Path, Callable[[Path], None]], force: bool = False
) -> None:
    """Writes all results, or none after an error.

    Args:
        results: Maps the path of each result to the function that writes it.
            The function gets another path, to write to.
        force: Replace what exists.

    Raises:
        UserError: If a result exists or cannot be written.
    """
    need_free(list(results), force)
    hidden = {
        path: path.with_name(f'.{path.name}.{os.getpid()}.new')
        for path in results
    }
    try:
        for path, save in results.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            save(hidden[path])
        for path in results:
            os.replace(hidden[path], path)
    except (OSError, RuntimeError) as error:  # torch.save raises the latter
        raise UserError(f'{path} was not written: {error}.') from error
    finally:
        for path in hidden.values():
            with suppress(OSError):  # below a file nothing can be missing
                path.unlink()
