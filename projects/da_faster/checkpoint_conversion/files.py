"""What the model converters share: reading checkpoints, writing results.

Whatever the user has to mend ends the command with one sentence and exit
code 1. (No other converter has a module of this name: the tests import both
kinds into one process.)
"""
import argparse
import os
import pickle
import struct
from pathlib import Path
from typing import Callable, Dict, Sequence

import torch
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope

BROKEN = (OSError, RuntimeError, EOFError, ValueError, struct.error,
          pickle.UnpicklingError)


def add_common_args(parser: argparse.ArgumentParser) -> None:
    """Adds the options of every model converter."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override settings of the config, xxx=yyy')
    parser.add_argument(
        '--force', action='store_true', help='replace an earlier result')
    parser.add_argument(
        '--trust',
        action='store_true',
        help='unpickle the checkpoint, which can run ANY code it contains; '
        'only for files of people you trust')


def load_config(args: argparse.Namespace) -> Config:
    """The config of ``args.config`` with ``args.cfg_options`` applied."""
    if not args.config.is_file():
        raise SystemExit(f'{args.config} does not exist; check the path.')
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options or {})
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    return cfg


def read(path: Path, trust: bool = False, allow: Sequence = ()) -> dict:
    """A checkpoint, on the CPU, read without running code from it.

    Args:
        path: File written by torch.save; it must hold a dict.
        trust: Unpickle it instead, whatever it runs.
        allow: Functions and classes it may use beside tensors and plain data.
    """
    try:
        with torch.serialization.safe_globals(list(allow)):
            checkpoint = torch.load(
                path, map_location='cpu', weights_only=not trust)
    except FileNotFoundError:
        raise SystemExit(f'{path} does not exist; check the path.')
    except BROKEN as error:
        if isinstance(error, pickle.UnpicklingError) and not trust:
            raise SystemExit(
                f'{path} is no checkpoint, or one that holds more than '
                'tensors and plain data: see --trust if you trust its origin.')
        reason = (str(error) or type(error).__name__).split('. ')[0]
        raise SystemExit(f'{path} is not a readable checkpoint ({reason}): '
                         'download or copy it again.')
    if not isinstance(checkpoint, dict):
        raise SystemExit(f'{path} holds a {type(checkpoint).__name__}, not a '
                         'dictionary: it is not a checkpoint.')
    return checkpoint


def name_some(what: str, names: Sequence[str], limit: int = 8) -> str:
    """``2 missing: a, b``; the empty string without names."""
    more = ', ...' if len(names) > limit else ''
    shown = ', '.join(sorted(names)[:limit])
    return f'{len(names)} {what}: {shown}{more}' if names else ''


def need_free(paths: Sequence[Path], force: bool) -> None:
    """Ends the program where a result exists, unless it may be replaced."""
    for path in paths:
        if path.is_dir():
            raise SystemExit(f'{path} is a folder: give another output.')
        if path.exists() and not force:
            raise SystemExit(f'{path} exists: give --force to replace it, or '
                             'another output.')


def write(results: Dict[Path, Callable[[Path], None]],
          force: bool = False) -> None:
    """Writes every result, or, after an error, none.

    Args:
        results: What writes a result to the path it is given, by the path
            where the result shall be.
        force: Replace what exists.
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
        raise SystemExit(f'{path} was not written: {error}.')
    finally:
        for path in hidden.values():
            path.unlink(missing_ok=True)
