"""The curves of a training that the page shows, and how to read them."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from da_faster.config_tree import detector_of
from da_faster.engine.training_line import ACCURACY, is_detection

from .charts import Style, draw_chart, make_line
from .runs import Method, Run

DOMAIN = ('loss_da_image', 'loss_da_instance')
CONSISTENCY = 'consistency'


class Curve(NamedTuple):
    """A chart with its text.

    Attributes:
        title: Title of the chart.
        reading: How to read the chart, one sentence.
        svg: The chart.
    """

    title: str
    reading: str
    svg: Markup


def sum_values(record: dict, chosen: Callable[[str], bool]) -> float | None:
    """Sums the values whose keys are chosen; None where there are none."""
    values = [value for key, value in record.items() if chosen(key)]
    return sum(values) if values else None


def weight_of(run: Run, key: str) -> float:
    """Weight of a domain loss; 1 where the config does not set it."""
    part = 'domain_neck' if key == DOMAIN[0] else 'instance_domain_head'
    detector = detector_of(run.cfg.get('model') or {})
    return (detector.get(part) or {}).get('loss_weight', 1.0)


def keys_of(methods: Sequence[Method]) -> list[str]:
    """Names of all values that any run logged, the first logged first."""
    return list(
        dict.fromkeys(
            key
            for method in methods
            for run in method.runs
            for record in run.records.values()
            for key in record
        )
    )


def curves(
    methods: Sequence[Method], looks: Sequence[Style]
) -> dict[str, list[Curve]]:
    """Draws the charts of trainings, by section.

    Values that no run logged get no chart.

    Args:
        methods (sequence of Method): The methods with their runs.
        looks (sequence of Style): Style of each method.
    """

    def chart(title: str, reading: str, value: Callable, **options) -> list:
        lines = [
            make_line(
                look,
                [
                    {
                        step: found
                        for step, record in run.records.items()
                        if (found := value(record)) is not None
                        and math.isfinite(found)
                    }
                    for run in method.runs
                ],
            )
            for method, look in zip(methods, looks)
        ]
        if not any(lines):
            return []
        svg = draw_chart(
            filter(None, lines), 'iteration', salt=title, **options
        )
        return [Curve(title, reading, svg)]

    def value_of(key: str) -> Callable:
        return lambda record: record.get(key)

    keys = keys_of(methods)
    sections = {
        'Detection': chart(
            'Detection loss on labelled images',
            'The loss must fall and flatten. If it still falls at the end, '
            'train longer. Strong augmentation keeps the loss higher; that is '
            'no fault.',
            lambda record: sum_values(record, is_detection),
        )
    }
    sections['Detection'] += chart(
        'Detection loss on pseudo-labels',
        'The loss tells how far the student is from its teacher, not whether '
        'either is right. It is 0 where the weight of the labels is 0.',
        lambda record: sum_values(
            record, lambda key: key.startswith('target_loss')
        ),
    )
    sections['Detection'] += chart(
        'Learning rate',
        'If losses jump where the learning rate is highest, lower it. Scores '
        'from before it has come down are too early to judge a run.',
        value_of('lr'),
    )
    sections['Parts of the detection loss'] = [
        found
        for key in keys
        if is_detection(key)
        for found in chart(
            key,
            'One part of the sum above; read it in the same way.',
            value_of(key),
        )
    ]
    sections['Domains'] = [
        found
        for key in keys
        if key.startswith(ACCURACY)
        for found in chart(
            f'How often a domain classifier is right: {key}',
            'Percent: at 50 the classifier only guesses, at 100 it always '
            'tells source from target. A value near 50 does not say that the '
            'detector has become better.',
            value_of(key),
            marks={'chance': 50},
            y_max=105,
        )
    ]
    sections['Domains'] += [
        found
        for key in keys
        if key in DOMAIN
        for found in chart(
            f'Loss of a domain classifier: {key}',
            'At the dotted line the classifier only guesses; well below the '
            'line it tells the domains apart. Neither says whether the '
            'detector has become better.',
            value_of(key),
            marks={
                f'chance, ln 2{"" if w == 1 else f" × {w:g}"}': w * math.log(2)
                for w in sorted(
                    {
                        weight_of(run, key)
                        for method in methods
                        for run in method.runs
                        if any(key in r for r in run.records.values())
                    }
                )
            },
        )
    ]
    sections['Domains'] += [
        found
        for key in keys
        if CONSISTENCY in key
        for found in chart(
            f'Consistency: {key}',
            'The loss compares the two classifiers: near zero, they give an '
            'image and its objects the same domain.',
            value_of(key),
        )
    ]
    sections['Pseudo-labels'] = chart(
        'Pseudo-labels an image',
        'The number should level off. A fall towards zero is a collapse; a '
        'rise beyond the number of objects in an image means that the '
        'teacher labels false alarms.',
        value_of('pseudo_boxes'),
    )
    for key in keys:
        if key.startswith('pseudo_boxes/'):
            name = key.split('/', 1)[1]
            sections['Pseudo-labels'] += chart(
                f'Pseudo-labels an image: {name}',
                f'A fall towards zero means that the student unlearns {name}.',
                value_of(key),
            )
    sections['Pseudo-labels'] += chart(
        'Agreement of teacher and student',
        'The fraction of detections that both have: near 1, the student has '
        'nothing left to learn from this teacher.',
        value_of('pseudo_agreement'),
        y_max=1.05,
    )
    return {title: found for title, found in sections.items() if found}
