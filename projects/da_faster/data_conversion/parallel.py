"""Reading many images in several processes."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from da_faster.data_conversion.arguments import check_positive
from da_faster.data_conversion.samples import ConversionError
from da_faster.progress import progress


def track(
    function: Callable,
    tasks: Iterable,
    nproc: int | None = None,
    skip_broken: bool | None = None,
) -> list:
    """``[function(task) for task in tasks]`` in processes, with progress.

    A ConversionError does not keep the other tasks from being tried, so one
    run names all broken files. Any other error ends it at once, as does a
    process that was killed.

    Args:
        function: Is pickled, as are the tasks and the results.
        tasks: What to call it with.
        nproc: Processes; None: one per core. A single one is this process.
        skip_broken: Whether a ConversionError takes the place of its result
            (``build_splits`` leaves it out and counts it) or is raised. None:
            raised, and the command has no such option.

    Returns:
        The results, in the order of the tasks.

    Raises:
        ConversionError: With the sentences of all that were raised.
    """
    nproc = os.cpu_count() if nproc is None else nproc
    check_positive(nproc=nproc)
    tasks = list(tasks)
    count = len(tasks)
    nproc = min(nproc, count)
    function = partial(attempt, function)
    if nproc <= 1:
        results = list(progress(map(function, tasks), count, 'images'))
    else:
        # A multiprocessing.Pool would wait forever for a killed process.
        with ProcessPoolExecutor(nproc) as pool:
            results = pool.map(
                function, tasks, chunksize=min(8, 1 + count // nproc)
            )
            results = list(progress(results, count, 'images'))
    errors = [item for item in results if isinstance(item, ConversionError)]
    if errors and not skip_broken:
        raise all_in_one(errors, count, can_skip=skip_broken is not None)
    return results


def attempt(function: Callable, task):
    """The result of ``function(task)``, or the ConversionError it raised."""
    try:
        return function(task)
    except ConversionError as error:
        return error


def all_in_one(
    errors: Sequence[ConversionError], count: int, can_skip: bool
) -> ConversionError:
    """One error for those of several images.

    Args:
        errors: At least one.
        count: The number of images.
        can_skip: Whether the command has --skip-broken.
    """
    first, *others = map(str, errors)
    if not others:
        mend = ' --skip-broken leaves it out.' if can_skip else ''
        return ConversionError(first + mend)
    if len(errors) == count:
        # Then it is not the files, and one of them tells as much as all.
        return ConversionError(f'none of {count} images can be used: {first}')
    mend = ', or leave them out with --skip-broken' if can_skip else ''
    return ConversionError(
        '\n'.join([first, *others])
        + f'\n{len(errors)} of {count} images cannot be used, see above: mend '
        f'them{mend}.'
    )
