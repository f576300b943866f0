"""Scored runs as the page shows them: table, curves, errors, images."""

import os.path as osp
from collections.abc import Sequence

import numpy as np

from da_faster.benchmarking.certainty import RECALLS, Gain
from da_faster.benchmarking.scores import gap_closed, mean_and_deviation

from . import breakdown, panels
from .charts import Style, draw_chart, make_line
from .runs import Method
from .scoring import (
    Comparison,
    Scored,
    Truth,
    choose_comparison,
    gain_of,
    mean_precision,
    pair_by_seed,
)
from .sentence import gain_sentence, single_sentence, unknown_sentence
from .source import SourceScores

MAX_CLASSES = 8  # classes that get charts of their own


class Results:
    """Scored runs by method, in the order of the methods.

    Args:
        methods (sequence of Method): All methods of the report; the first is
            the baseline.
        looks (sequence of Style): Style of each method.
        truth (Truth): Annotations that the runs are scored on.
        scored (sequence of Scored): The runs with detections.
        source (SourceScores, optional): Scores on the source.
    """

    def __init__(
        self,
        methods: Sequence[Method],
        looks: Sequence[Style],
        truth: Truth,
        scored: Sequence[Scored],
        source: SourceScores | None = None,
    ) -> None:
        self.truth = truth
        self.source = source
        known = {one.run.work_dir: one for one in scored}
        self.looks = {m.name: look for m, look in zip(methods, looks)}
        self.runs = {
            method.name: found
            for method in methods
            if (
                found := [
                    known[run.work_dir]
                    for run in method.runs
                    if run.work_dir in known
                ]
            )
        }
        self.given = len(methods)
        self.methods = [m for m in methods if m.name in self.runs]
        # If the first method has no detections, no other one replaces it.
        self.first = methods[0].name
        known = self.first in self.runs
        self.compared: Comparison | None = (
            choose_comparison(self.methods) if known else None
        )
        self.gains: dict[str, Gain] = {
            name: gain_of(found, self.runs[self.first])
            for name, found in self.runs.items()
            if known and name != self.first
        }

    def sentence(self) -> str:
        """The first sentence of the page."""
        if self.first not in self.runs:
            return unknown_sentence(self.first)
        if not self.compared:
            values = [one.score['AP50'] for one in self.runs[self.first]]
            return single_sentence(
                self.first,
                float(np.mean(values)),
                self.given,
                len(self.methods),
            )
        first, last = self.compared
        both = pair_by_seed(self.runs[last], self.runs[first])
        ours = float(np.mean([one.score['AP50'] for one, _ in both]))
        return gain_sentence(last, first, ours, self.gains[last])

    def seeds(self) -> list:
        """Seeds of all runs, then 'unknown' if a run's seed is not known."""
        found = {one.run.seed for runs in self.runs.values() for one in runs}
        known = sorted(found - {None})
        return known + ['unknown'] * (None in found)

    def gap(self, name: str) -> str:
        """The part of the gap to the oracle that a method closes.

        The gap is that between the first method and the oracle. The result is
        '' if there is no oracle, '-' if the methods share no seed.
        """
        first = self.first
        oracle = next((m.name for m in self.methods[1:] if m.oracle), None)
        if oracle is None or not self.gains:
            return ''
        scores = {
            m: {one.run.seed: one.score for one in self.runs[m]}
            for m in (first, oracle, name)
        }
        seeds = list(set.intersection(*map(set, scores.values())))
        return gap_closed(scores, name, oracle, seeds, first) if seeds else '-'

    def table(self) -> list[dict]:
        """Rows of the table, one for each method."""

        def cell(values: list) -> str:
            return (
                '-' if np.isnan(values).any() else mean_and_deviation(values)
            )

        rows = []
        for name, runs in self.runs.items():
            scores = [one.score for one in runs]
            rows.append(
                dict(
                    name=name,
                    ap50=cell([s['AP50'] for s in scores]),
                    ap=cell([s['AP'] for s in scores]),
                    source=self.source
                    and cell(
                        [
                            self.source.by_run[one.run.work_dir]['AP50']
                            for one in runs
                        ]
                    ),
                    gain=str(self.gains.get(name, '')),
                    gap=self.gap(name),
                    seeds=len(runs),
                    minutes=f'{np.mean([s["minutes"] for s in scores]):.1f}',
                    by_class={
                        c: cell([s['AP50_by_class'][c] for s in scores])
                        for c in self.classes()
                    },
                )
            )
        return rows

    def classes(self) -> list[str]:
        """Names of the classes, the class with most objects first."""
        counts = {
            name: sum(
                a['category_id'] == i and not a.get('iscrowd')
                for a in self.truth.coco.anns.values()
            )
            for i, name in self.truth.names.items()
        }
        return sorted(counts, key=lambda name: -counts[name])

    def precision_recall(self) -> list[tuple]:
        """Titles and precision-recall charts.

        The first chart is the mean of all classes; one for each of the
        MAX_CLASSES classes with most objects follows.
        """
        found = {m: mean_precision(runs) for m, runs in self.runs.items()}
        names = list(self.truth.names.values())

        def chart(title: str, values: dict) -> tuple:
            drawn = [
                make_line(self.looks[m], [dict(zip(RECALLS, row))])
                for m, row in values.items()
                if not np.isnan(row).any()
            ]
            svg = draw_chart(drawn, 'recall', y_max=1.02, salt=f'pr{title}')
            return title, svg

        whole = {
            m: rows[~np.isnan(rows).any(axis=1)].mean(axis=0)
            for m, rows in found.items()
        }
        return [
            chart('all classes', whole),
            *(
                chart(
                    name, {m: r[names.index(name)] for m, r in found.items()}
                )
                for name in self.classes()[:MAX_CLASSES]
                if len(names) > 1
            ),
        ]

    def errors(self) -> list[dict]:
        """Rows of the error breakdown: by class, then by size."""
        rows = {
            m: breakdown.break_down(
                [o for r in runs for o in r.outcomes.values()],
                self.truth.names,
            )
            for m, runs in self.runs.items()
        }
        titles = {'all': 'all objects'}
        if len(self.truth.names) > 1:
            titles |= {name: name for name in self.classes()[:MAX_CLASSES]}
        titles |= {f'size:{s}': f'{s} objects' for s in breakdown.SIZES}
        return [
            dict(
                title=title,
                size=key.startswith('size:'),
                objects=next(
                    row.objects * len(self.truth.coco.imgs) // row.images
                    for row in (r[key] for r in rows.values() if key in r)
                ),
                rows=[
                    (m, by_name[key])
                    for m, by_name in rows.items()
                    if key in by_name
                ],
            )
            for key, title in titles.items()
            if any(key in by_name for by_name in rows.values())
        ]

    def pictures(self, num: int) -> dict | None:
        """Images on which the two compared methods differ most.

        Args:
            num (int): Number of images with the largest gains, and of images
                with the largest losses.

        Returns:
            dict or None: Images and text for the page; None if there is no
            comparison or ``num`` is 0.
        """
        if not self.compared or num < 1:
            return None
        first, last = self.compared
        after, before = pair_by_seed(self.runs[last], self.runs[first])[0]
        chosen = panels.choose_extremes(before.outcomes, after.outcomes, num)

        def show(image_id: int) -> dict:
            info = self.truth.coco.imgs[image_id]
            path = osp.join(self.truth.test.images, info['file_name'])
            url = panels.as_data_url(path)
            return dict(
                name=info['file_name'],
                gain=chosen.gains[image_id],
                sides=[
                    (
                        name,
                        str(one.outcomes[image_id]),
                        panels.panel_svg(
                            info,
                            one.outcomes[image_id],
                            self.truth.names,
                            url,
                            index == 0,
                        ),
                    )
                    for index, (name, one) in enumerate(
                        ((first, before), (last, after))
                    )
                ],
            )

        return dict(
            rule=chosen.rule(first, last),
            seed=after.run.seed,
            first=first,
            last=last,
            scores=(before.threshold, after.threshold),
            best=[show(i) for i in chosen.best],
            worst=[show(i) for i in chosen.worst],
        )
