"""Writes a report: one HTML file that needs no network."""

import os
import os.path as osp
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader

from da_faster.apis.output_paths import make_output_folder
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
    """The text that a report begins with.

    Attributes:
        sentence: The first sentence.
        notes: What the report cannot show and why, a sentence each.
    """

    sentence: str
    notes: list[str]


def write_page(content: str, out: str) -> None:
    """Writes the page.

    Raises:
        UserError: If the file cannot be written.
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
    """Writes one HTML page that compares runs.

    Work dirs are only read.

    Args:
        work_dirs (sequence of str): Work dirs of trainings, or folders that
            hold a work dir for each seed. The first is the baseline, which is
            compared with the last that is no oracle and no control.
        out (str): Path of the page, ``.html``.
        images (int): Number of target images with the largest gains that are
            shown, and of those with the largest losses.
        source_labels (str, optional): COCO json of source images that no run
            was trained on. The last weights of each run are scored there.
        source_images (str, optional): Folder of these images. Defaults to the
            folder of the first run's training images.
        trust_checkpoint (bool): Load checkpoints that may run code.

    Returns:
        Report: The first sentence and the notes of the page.

    Raises:
        UserError: If a work dir, its data or the path cannot be used.
    """
    if not out.endswith(('.html', '.htm')):
        raise UserError(f'--out {out}: the file must end in .html.')
    methods = read_methods(work_dirs)
    runs = [run for method in methods for run in method.runs]
    notes = [text for run in runs for text in run.caveats()]
    detected = [run for run in runs if run.detections and run.test_set()]
    truth = common_truth(detected)
    make_output_folder(out, '--out')
    looks = styles([method.oracle for method in methods])
    source = results = None
    if source_labels and not truth:
        notes.append(
            '--source-labels is not used, as no run has detections of '
            'labelled target images.'
        )
    if truth and source_labels:
        source = score_on_source(
            detected, source_labels, source_images, trust_checkpoint
        )
        notes += filter(None, [source.caveat()])
    if truth:
        scored = list(
            progress(map(truth.score, detected), len(detected), 'runs scored')
        )
        results = Results(methods, looks, truth, scored, source)
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
    write_page(content, out)
    return Report(sentence, notes)
