"""Measures time and memory, and shows progress."""

import ctypes
import platform
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from da_faster.benchmarking.progress import is_terminal


def device() -> torch.device:
    """Returns the accelerator, or the CPU where there is none."""
    return torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def seconds(action: Callable[[], object]) -> float:
    """Calls an action and returns its seconds, the accelerator included."""
    synchronize()
    begin = time.perf_counter()
    action()
    synchronize()
    return time.perf_counter() - begin


def synchronize() -> None:
    """Waits until the accelerator has finished."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def interleave(
    actions: dict[str, Callable[[], object]], repeats: int
) -> dict[str, list]:
    """Calls all actions in turn, so that a slow moment affects all alike.

    Args:
        actions (dict): Functions by name.
        repeats (int): Rounds that count, after one to warm up.

    Returns:
        dict[str, list]: By name, the results of the rounds that count.
    """
    results: dict[str, list] = {name: [] for name in actions}
    calls = [
        (number, name) for number in range(repeats + 1) for name in actions
    ]
    steps = [f'round {n} of {repeats}: {name}' for n, name in calls]
    with closing(shown(steps)) as show:
        for _, (number, name) in zip(show, calls):
            result = actions[name]()
            if number:
                results[name].append(result)
    return results


def shown(steps: Sequence[str]) -> Generator[str, None, None]:
    """Yields the names of steps, and shows the current step on stderr.

    The progress is drawn between two steps only, so as not to disturb the
    measurement. A terminal gets a bar, a log file a line for each step. Close
    the generator: an error between two steps would leave the terminal without
    a cursor.
    """
    if not is_terminal():
        for step in steps:
            print(step, file=sys.stderr, flush=True)
            yield step
        return
    with Progress(
        TextColumn('{task.description}', markup=False),
        BarColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
        transient=True,
    ) as progress:
        task = progress.add_task('', total=len(steps))
        for step in steps:
            progress.update(task, description=step, refresh=True)
            yield step
            progress.advance(task)


def ratio(values: Sequence[float], others: Sequence[float]) -> str:
    """Formats the ratios of all rounds: median (least-most)."""
    ratios = np.array(values) / np.array(others)
    return f'{np.median(ratios):.3f} ({ratios.min():.3f}-{ratios.max():.3f})'


def machine() -> str:
    """Names the machine that the figures are measured on."""
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
    else:
        name = f'{processor()}, {torch.get_num_threads()} threads'
    return f'{name}, torch {torch.__version__}'


def processor() -> str:
    """Names the CPU."""
    try:
        with open('/proc/cpuinfo') as file:
            for line in file:
                if line.startswith('model name'):
                    return line.split(':', 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


class Peak:
    """Measures the peak memory since the object was made.

    On a GPU the allocator counts, on a CPU the kernel (Linux).
    """

    def __init__(self) -> None:
        self.known = torch.cuda.is_available()
        if self.known:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated()
            return
        try:
            # malloc first gives back free memory. Then the high-water mark of
            # the kernel begins anew.
            ctypes.CDLL('libc.so.6').malloc_trim(0)
            with open('/proc/self/clear_refs', 'w') as file:
                file.write('5')
            self.before = self._status('VmRSS')
            self.known = True
        except OSError:
            pass

    def bytes(self) -> float:
        """Returns the largest number of bytes in use, above that at the start.

        The result is NaN where the system does not count.
        """
        if not self.known:
            return float('nan')
        if torch.cuda.is_available():
            return torch.cuda.max_memory_allocated() - self.before
        return self._status('VmHWM') - self.before

    @staticmethod
    def _status(key: str) -> int:
        with open('/proc/self/status') as file:
            for line in file:
                if line.startswith(key):
                    return int(line.split()[1]) << 10
        raise OSError(f'no {key} in /proc/self/status')
