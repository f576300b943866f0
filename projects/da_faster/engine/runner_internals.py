"""Access to private parts of MMEngine's Runner and of its loops.

No other file of the package reads or writes such parts. After an update of
MMEngine, look here first.
"""

from mmengine.runner import BaseLoop, Runner

# Endless batches of a dataloader; its skip_iter() skips some.
from mmengine.runner.loops import _InfiniteDataloaderIterator as EndlessBatches

__all__ = [
    'EndlessBatches',
    'built_loop',
    'checkpoint_to_load',
    'is_resumed',
    'seed_differs_by_rank',
    'set_resume',
]


def built_loop(runner: Runner, mode: str) -> BaseLoop | None:
    """Gives a loop of the runner, or None if it is not built.

    Runner's own properties would build it.

    Args:
        runner (Runner): The runner.
        mode (str): ``train``, ``val`` or ``test``. Only a runner that trains
            has built its loop for ``train``.
    """
    loop = getattr(runner, f'_{mode}_loop', None)
    return None if isinstance(loop, dict) else loop


def is_resumed(runner: Runner) -> bool:
    """Says whether the run continues an earlier one."""
    return runner._resume


def checkpoint_to_load(runner: Runner) -> str | None:
    """Gives the checkpoint to resume from or, without resume, to begin with.

    None if there is none, or if MMEngine is to search the work dir for it.
    """
    return runner._load_from


def set_resume(runner: Runner, path: str | None) -> None:
    """Sets the checkpoint to resume from; None begins a new training."""
    runner._load_from = path
    runner._resume = path is not None


def seed_differs_by_rank(runner: Runner) -> bool:
    """Says whether Runner adds the rank of a process to its seed."""
    return runner._randomness_cfg.get('diff_rank_seed', False)
