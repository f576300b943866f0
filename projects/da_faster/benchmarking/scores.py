"""Scores finished runs, and shows them in a table and a picture."""

import contextlib
import hashlib
import io
import json
import os.path as osp
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from da_faster.coco_files import read_annotations
from da_faster.errors import UserError


def coco_evaluation(
    ann_file: str, detections: str, classes: Sequence[str]
) -> COCOeval:
    """Prepares COCO's evaluation of detections, without running it.

    Args:
        ann_file (str): The annotations.
        detections (str): The detections, in COCO's format of results.
        classes (Sequence[str]): The classes that count.

    Raises:
        UserError: If a file is missing or broken.
    """
    for path in (ann_file, detections):
        if not osp.isfile(path):
            raise UserError(f'{path} does not exist; check the path.')
    truth = read_annotations(ann_file)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            with open(detections) as f:
                found = json.load(f)
            # loadRes takes no empty list; an empty COCO scores zero.
            found = truth.loadRes(found) if found else COCO()
            evaluation = COCOeval(truth, found, 'bbox')
    except (AssertionError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f'{detections} does not hold detections of {ann_file} '
            f'({error!r}): make them again.'
        ) from error
    evaluation.params.catIds = sorted(
        c['id'] for c in truth.dataset['categories'] if c['name'] in classes
    )
    return evaluation


def evaluate(ann_file: str, detections: str, classes: Sequence[str]) -> dict:
    """Scores detections as COCO does.

    Args:
        ann_file (str): The annotations.
        detections (str): The detections, in COCO's format of results.
        classes (Sequence[str]): The classes that count.

    Returns:
        dict: ``AP``, ``AP50`` and ``AP50_by_class`` (by name of the class), in
        percent.
    """
    evaluation = coco_evaluation(ann_file, detections, classes)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.evaluate()
        evaluation.accumulate()
    # (IoU, recall, class); -1 where there is no box. The last two indices
    # are area = all and detections = 100.
    precision = evaluation.eval['precision'][..., 0, 2]
    precision = np.where(precision < 0, np.nan, precision)
    categories = evaluation.cocoGt.loadCats(evaluation.params.catIds)
    by_class = 100 * precision[0].mean(axis=0)  # nan: a class without a box
    return dict(
        AP=100 * np.nanmean(precision),
        AP50=float(np.nanmean(by_class)),
        AP50_by_class={
            c['name']: ap for c, ap in zip(categories, by_class.tolist())
        },
    )


def mean_and_deviation(values: list) -> str:
    """Formats the mean and the sample standard deviation."""
    if len(values) == 1:
        return f'{values[0]:.1f}'
    return f'{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}'


def mean_ap50(scores: dict, method: str, seeds: Sequence[int]) -> float:
    """Returns the mean AP50 of a method over the seeds."""
    return float(np.mean([scores[method][s]['AP50'] for s in seeds]))


def gap_closed(
    scores: dict,
    method: str,
    oracle: str,
    seeds: Sequence[int],
    baseline: str = 'source-only',
) -> str:
    """Formats the share of the gap to the oracle that a method closes.

    Returns:
        str: The gain over the baseline in percent of the oracle's gain; a dash
        where the oracle is no better than the baseline.
    """
    low, high, here = (
        mean_ap50(scores, m, seeds) for m in (baseline, oracle, method)
    )
    if high <= low:
        return '-'
    return f'{100 * (here - low) / (high - low):.0f} %'


def make_table(
    scores: dict, seeds: Sequence[int], labels: Mapping[str, str]
) -> str:
    """Makes a Markdown table.

    Args:
        scores (dict): By method and by seed, the results of :func:`evaluate`
            and the ``minutes`` of training.
        seeds (Sequence[int]): The seeds.
        labels (dict[str, str]): Names of the methods in the table.
    """
    names = list(next(iter(scores.values()))[seeds[0]]['AP50_by_class'])
    gaps = {
        oracle: title
        for oracle, title in (
            ('oracle', 'gap closed'),
            ('oracle-strong', 'of the strong gap'),
        )
        if {'source-only', oracle} <= set(scores)
    }
    rows = [
        [
            'method',
            'AP50',
            *(f'AP50 {n}' for n in names),
            'AP',
            *gaps.values(),
            'minutes',
        ]
    ]
    for method, results in scores.items():
        runs = [results[s] for s in seeds]
        rows.append(
            [
                labels[method],
                mean_and_deviation([r['AP50'] for r in runs]),
                *(
                    mean_and_deviation([r['AP50_by_class'][n] for r in runs])
                    for n in names
                ),
                mean_and_deviation([r['AP'] for r in runs]),
                *(gap_closed(scores, method, o, seeds) for o in gaps),
                f'{np.mean([r["minutes"] for r in runs]):.1f}',
            ]
        )
    return markdown_table(*rows)


def markdown_table(*rows: Sequence) -> str:
    """Formats rows as a Markdown table; the first is the header."""
    first, *others = [[str(cell) for cell in row] for row in rows]
    return '\n'.join(
        '| ' + ' | '.join(row) + ' |'
        for row in (first, ['---'] * len(first), *others)
    )


def draw_dots(
    scores: dict, labels: Mapping[str, str], title: str, out: str
) -> None:
    """Draws a row for each method: a dot for each seed, a line at the mean.

    Args:
        scores (dict): By method and by seed, the results of :func:`evaluate`.
        labels (dict[str, str]): Names of the methods in the picture.
        title (str): The title of the picture.
        out (str): The path of the picture.
    """
    fig = Figure(figsize=(8, 1.4 + 0.36 * len(scores)), layout='constrained')
    axes = fig.subplots()
    plain = scores.get('source-only')
    if plain:
        axes.axvline(
            np.mean([r['AP50'] for r in plain.values()]), color='0.8', zorder=0
        )
    for row, (method, results) in enumerate(scores.items()):
        values = [r['AP50'] for r in results.values()]
        colour = '#888888' if method.startswith('oracle') else '#1f6fb4'
        axes.plot(values, [row] * len(values), 'o', color=colour, alpha=0.6)
        axes.plot([np.mean(values)] * 2, [row - 0.3, row + 0.3], color=colour)
    axes.set_yticks(range(len(scores)), [labels[m] for m in scores])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel('AP50 on the target; a dot is a seed, the line their mean')
    axes.set_title(title, fontsize=10)
    axes.grid(axis='x', color='0.92')
    fig.savefig(out, dpi=110)


def describe(ann_file: str, seeds: list) -> str:
    """Describes the data that the scores were measured on."""
    with open(ann_file, 'rb') as f:
        content = f.read()
    data = json.loads(content)
    numbers = ', '.join(map(str, seeds))
    of = f'seeds {numbers}: mean ± standard deviation'
    if len(seeds) == 1:
        of = f'seed {numbers}'
    return (
        f'Last checkpoint; {of}. Test: {len(data["images"])} images, '
        f'{len(data["annotations"])} boxes, {ann_file}, SHA-256 '
        f'{hashlib.sha256(content).hexdigest()[:16]}...'
    )
