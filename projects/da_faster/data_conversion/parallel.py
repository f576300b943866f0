"""Reading many images in several processes."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain

from da_faster.data_conversion.arguments import check_positive
from da_faster.data_conversion.samples import ConversionError
from da_faster.progress import progress


def track(
    function: Callable,
    tasks: Iterable,
    nproc: int | None = None,
    skip_broken: bool | None = None,
) -> list:
    """Calls a function with each task, in several processes.

    The progress is shown. After a ConversionError the other tasks are still
    done, so that one run names all broken files. Any other error stops the
    run at once, and so does a process that is killed.

    Args:
        function: Takes a task. Function, tasks and results are pickled.
        tasks: The tasks.
        nproc: Number of processes; None: one per core. With 1, this process
            does the work.
        skip_broken: Whether a ConversionError is returned in the place of a
            result, for ``build_splits`` to leave out and count, or is raised.
            None: raised, by a command without the option --skip-broken.

    Returns:
        The results, in the order of the tasks.

    Raises:
        ConversionError: If tasks raised one; the text has all sentences.
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


def track_splits(
    function: Callable,
    tasks: Mapping[str, Sequence],
    nproc: int | None = None,
    skip_broken: bool | None = None,
) -> dict[str, list]:
    """Calls a function with each task of several splits, see :func:`track`.

    A task that several splits share is done once.

    Args:
        function: Takes a task.
        tasks: Tasks by name of the split; they are hashable.
        nproc: Number of processes.
        skip_broken: As in :func:`track`.

    Returns:
        The results by name of the split, in the order of the tasks.
    """
    distinct = list(dict.fromkeys(chain.from_iterable(tasks.values())))
    results = dict(
        zip(distinct, track(function, distinct, nproc, skip_broken))
    )
    return {
        split: [results[task] for task in some]
        for split, some in tasks.items()
    }


def attempt(function: Callable, task):
    """Returns ``function(task)``, or the ConversionError that it raises."""
    try:
        return function(task)
    except ConversionError as error:
        return error


def all_in_one(
    errors: Sequence[ConversionError], count: int, can_skip: bool
) -> ConversionError:
    """Joins the errors of several images.

    Args:
        errors: At least one error.
        count: Number of all images.
        can_skip: Whether the command has the option --skip-broken.
    """
    first, *others = map(str, errors)
    if not others:
        advice = ' --skip-broken leaves it out.' if can_skip else ''
        return ConversionError(first + advice)
    if len(errors) == count:
        # The cause is not the files, and one sentence says as much as all.
        return ConversionError(f'none of {count} images can be used: {first}')
    advice = ', or leave them out with --skip-broken' if can_skip else ''
    return ConversionError(
        '\n'.join([first, *others])
        + f'\n{len(errors)} of {count} images cannot be used, see above: mend '
        f'them{advice}.'
    )
