"""Puts a report together: one HTML file that needs no network."""

import os
import os.path as osp
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader

from da_faster.apis.config import need_output
from da_faster.benchmarking.scores import describe
from da_faster.errors import UserError
from da_faster.files import write_atomically
from da_faster.progress import progress

from . import breakdown
from .charts import styles
from .curves import curves
from .results import Results
from .runs import read_methods
from .scoring import common_truth
from .sentence import unknown_sentence
from .source import score_on_source


class Report(NamedTuple):
    """What :func:`report` has written.

    Attributes:
        sentence: What the page begins with.
        notes: What keeps it from saying more, a sentence each.
    """

    sentence: str
    notes: list[str]


def write(content: str, out: str) -> None:
    """Writes the page.

    Raises:
        UserError: If it cannot be written there.
    """
    try:
        os.makedirs(osp.dirname(out) or '.', exist_ok=True)
        write_atomically(content.encode(), out)
    except OSError as error:
        raise UserError(
            f'{out} cannot be written ({error}); give another --out, for '
            'example report.html.'
        ) from error


def report(
    work_dirs: Sequence[str],
    out: str,
    images: int = 3,
    source_labels: str | None = None,
    source_images: str | None = None,
    trust_checkpoint: bool = False,
) -> Report:
    """Writes one HTML page about runs; reads them alone.

    Args:
        work_dirs (sequence of str): Work dirs of trainings, or folders that
            hold one for each seed. The first is what the others are to beat;
            the page is about the last that is no oracle.
        out (str): The page's path, ``.html``.
        images (int): Target images at each end of the gains.
        source_labels (str, optional): COCO json of source images that nobody
            trained on. The last weights of each run detect there, too.
        source_images (str, optional): The folder of these; by default that of
            the first run's training images.
        trust_checkpoint (bool): Load checkpoints that may run code.

    Raises:
        UserError: If a work dir, its data or the path cannot be used.
    """
    if not out.endswith(('.html', '.htm')):
        raise UserError(f'--out {out}: the file must end in .html.')
    methods = read_methods(work_dirs)
    runs = [run for method in methods for run in method.runs]
    notes = [text for run in runs for text in run.shortcomings()]
    able = [run for run in runs if run.detections and run.test_set()]
    truth = common_truth(able)
    need_output(out, '--out')
    looks = styles([method.oracle for method in methods])
    source = results = None
    if source_labels and not truth:
        notes.append(
            '--source-labels is not used, as no run has detections of '
            'labelled target images.'
        )
    if truth and source_labels:
        source = score_on_source(
            able, source_labels, source_images, trust_checkpoint
        )
        notes += filter(None, [source.caveat()])
    if truth:
        scored = progress(map(truth.score, able), len(able), 'runs scored')
        results = Results(methods, looks, truth, list(scored), source)
    sentence = results.sentence() if results else unknown_sentence()
    template = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template('page.html')
    content = template.render(
        sentence=sentence,
        notes=notes,
        legend=[
            (method.name, look.swatch())
            for method, look in zip(methods, looks)
        ],
        rows=results.table() if results else [],
        first=methods[0].name,
        gains=bool(results and results.gains),
        source=source,
        measured=describe(truth.test.ann_file, results.seeds())
        if results
        else '',
        pictures=results.pictures(images) if results else None,
        errors=results.errors() if results else [],
        fates=breakdown.FATES,
        rules=breakdown.RULES,
        precision=results.precision_recall() if results else [],
        curves=curves(methods, looks),
    )
    write(content, out)
    return Report(sentence, notes)
