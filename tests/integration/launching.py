"""Runs the commands and reads what they write."""

import itertools
import json
import os
import runpy
import socket
import subprocess
import sys
import traceback
from pathlib import Path
from unittest import mock

import torch

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / 'tools'
_numbers = itertools.count()


def start(*command, **env) -> subprocess.Popen:
    """Starts a Python file or any other program."""
    command = [str(part) for part in command]
    if command[0].endswith('.py'):
        command.insert(0, sys.executable)
    return subprocess.Popen(
        command,
        env={
            **os.environ,
            # The shell scripts call the `python` that runs the tests.
            'PATH': f'{Path(sys.executable).parent}:{os.environ["PATH"]}',
            # recorder.py lies beside this file.
            'PYTHONPATH': os.pathsep.join(
                [str(Path(__file__).parent), os.environ.get('PYTHONPATH', '')]
            ),
            'OMP_NUM_THREADS': '1',
            **env,
        },
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(*programs: subprocess.Popen) -> None:
    """Waits for programs; none may fail."""
    try:
        for program in programs:
            output = program.communicate(timeout=600)[0]
            # The end alone: the log begins with versions and the config.
            assert program.returncode == 0, output[-4000:]
    finally:
        for program in programs:
            program.kill()


def call(tool, *args, unique: bool = True, **options) -> None:
    """Runs a command in this process, which saves the long imports.

    Args:
        tool (str or Path): A file, relative to tools/.
        *args: Command line.
        unique (bool): Whether the command runs a Runner. Loggers and
            visualizers of a name outlive a Runner, so each call gets a name.
        **options: ``--cfg-options``; ``__`` stands for a dot.
    """
    if unique:
        name = f'test{next(_numbers)}'
        options.update(experiment_name=name, visualizer__name=name)
    argv = [TOOLS / tool, *args]
    if options:
        argv += ['--cfg-options'] + [
            f'{k.replace("__", ".")}={v}' for k, v in options.items()
        ]
    with (
        mock.patch.object(sys, 'argv', [str(part) for part in argv]),
        mock.patch(
            'yapf.yapflib.yapf_api.FormatCode', lambda text, **_: (text, True)
        ),
        mock.patch.dict(os.environ),
    ):
        # Formatting the config for the log takes longer than the training.
        runpy.run_path(sys.argv[0], run_name='__main__')


def train(config, work_dir, *args, **options) -> list:
    """Runs tools/train.py in this process; returns :func:`stream`."""
    call('train.py', config, '--work-dir', work_dir, *args, **options)
    return stream(work_dir)


def evaluate(config, checkpoint, work_dir, *args, **options) -> float:
    """Runs tools/test.py in this process; returns the AP."""
    call(
        'test.py', config, checkpoint, '--work-dir', work_dir, *args, **options
    )
    return average_precision(work_dir)


def stream(work_dir, rank: int = 0) -> list:
    """Returns the lines of the Recorder, one for each iteration."""
    text = (Path(work_dir) / f'stream_{rank}.jsonl').read_text()
    return [json.loads(line) for line in text.splitlines()]


def logged(work_dir) -> list:
    """Returns the log of the only run in a work dir, a dict for each line."""
    (log,) = Path(work_dir).glob('*/**/[0-9]*.json')
    return [json.loads(line) for line in log.read_text().splitlines()]


def average_precision(work_dir) -> float:
    """Returns the last AP of the only run in a work dir."""
    return logged(work_dir)[-1]['coco/bbox_mAP']


# The target's colours and strong augmentation, for :func:`derive`.
STYLE = """
train_dataloader = dict(dataset=dict(pipeline=[
    _base_.load, _base_.labels, _base_.resize, _base_.flip,
    dict(
        type='TargetStyle', region=0.2, dataset=dict(
            type='TargetDataset', data_root=_base_.data_root,
            data_prefix=dict(img='target/'))),
    dict(type='StrongAugmentation'), _base_.pack]))
"""

# A mean teacher whose self-training begins after two iterations.
TEACHER = """
detector = _base_.model
model = dict(
    _delete_=True, type='MeanTeacher', detector=detector,
    agreement_interval=2, block_masking=dict(size=16),
    # Scores of an untrained detector are low.
    pseudo_labels=dict(bounds=(0.05, 0.9), ignore_above=0.02))
train_cfg = dict(target_dataloader=dict(dataset=dict(pipeline=[
    _base_.load, _base_.resize, _base_.flip,
    dict(
        type='MultiBranch', branch_field=['target', 'target_weak'],
        target=[dict(type='StrongAugmentation'), _base_.pack],
        target_weak=[_base_.pack])])))
custom_hooks = [
    dict(type='Recorder'), dict(type='SelfTrainingHook', burn_in=2)]
"""
# TEACHER without the source. The config needs load_from.
SOURCE_FREE = (
    TEACHER
    + """
train_dataloader = dict(dataset=dict(
    _delete_=True,
    **{**_base_.train_cfg.target_dataloader.dataset,
       'pipeline': train_cfg['target_dataloader']['dataset']['pipeline']}))
train_cfg = dict(
    _delete_=True, type='TargetLoop', max_iters=_base_.max_iters,
    val_interval=_base_.max_iters)
model['pseudo_labels'] = dict(
    threshold=0.05, ignore_above=0.02, statistics_window=4)
model['keep_source_model'] = True
custom_hooks = [
    dict(type='Recorder'),
    dict(type='SelfTrainingHook', burn_in=0, restore_rate=0.1)]
"""
)


def derive(config, folder: Path, text: str) -> Path:
    """Writes a config that inherits ``config`` and adds ``text``."""
    path = folder / 'derived.py'
    path.write_text(f"_base_ = '{config}'\n{text}\n")
    return path


def fork(function, *args, **options) -> int:
    """Calls a function in a child process; returns its exit code.

    The exit code is negative where a signal ended the child. A fork saves the
    long imports.
    """
    return wait(start_fork(function, *args, **options))


def start_fork(function, *args, env: dict | None = None, **options) -> int:
    """Calls a function in a child process; returns the process id at once."""
    child = os.fork()
    if not child:
        code = 1
        try:
            # The threads of OpenMP do not survive a fork.
            torch.set_num_threads(1)
            os.environ.update(env or {})
            function(*args, **options)
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def wait(child: int) -> int:
    """Waits for a child process; returns its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fork_ranks(function, *args, **options) -> list:
    """Calls :func:`fork` as two processes of one run; returns exit codes."""
    env = dict(
        WORLD_SIZE='2', MASTER_ADDR='127.0.0.1', MASTER_PORT=free_port()
    )
    children = [
        start_fork(
            function,
            *args,
            '--launcher',
            'pytorch',
            env=dict(env, RANK=str(rank), LOCAL_RANK=str(rank)),
            **options,
        )
        for rank in range(2)
    ]
    return [wait(child) for child in children]


def free_port() -> str:
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return str(s.getsockname()[1])
