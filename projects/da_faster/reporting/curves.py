"""Which curves of a training are shown, and how each is read."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from da_faster.config_tree import detector_of
from da_faster.engine.training_line import ACCURACY, is_detection

from .charts import Style, draw, line
from .runs import Method, Run

DOMAIN = ('loss_da_image', 'loss_da_instance')
CONSISTENCY = 'consistency'


class Curve(NamedTuple):
    """A chart with its text.

    Attributes:
        title: What it is of.
        reading: How to read it, one sentence.
        svg: The chart.
    """

    title: str
    reading: str
    svg: Markup


def total(record: dict, chosen: Callable[[str], bool]) -> float | None:
    """The sum of some values of a record; None where it has none of them."""
    values = [value for key, value in record.items() if chosen(key)]
    return sum(values) if values else None


def weight_of(run: Run, key: str) -> float:
    """The weight of a domain loss; 1 where the config does not say."""
    part = 'domain_neck' if key == DOMAIN[0] else 'instance_domain_head'
    detector = detector_of(run.cfg.get('model') or {})
    return (detector.get(part) or {}).get('loss_weight', 1.0)


def keys_of(methods: Sequence[Method]) -> list[str]:
    """All values that any run logged, in the order of their first log."""
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
    """The charts of trainings, by section.

    A value that no run logged has none.

    Args:
        methods (sequence of Method): The runs.
        looks (sequence of Style): Of each method.
    """

    def chart(title: str, reading: str, value: Callable, **options) -> list:
        lines = [
            line(
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
        svg = draw(filter(None, lines), 'iteration', salt=title, **options)
        return [Curve(title, reading, svg)]

    def of(key: str) -> Callable:
        return lambda record: record.get(key)

    keys = keys_of(methods)
    sections = {
        'Detection': chart(
            'Detection loss on labelled images',
            'It must fall and flatten: where it still falls at the end, train '
            'longer; strong augmentation keeps it higher, which is no fault.',
            lambda record: total(record, is_detection),
        )
    }
    sections['Detection'] += chart(
        'Detection loss on pseudo-labels',
        'It tells how far the student is from its teacher, not how right '
        'either is; it is 0 where the labels weigh 0.',
        lambda record: total(
            record, lambda key: key.startswith('target_loss')
        ),
    )
    sections['Detection'] += chart(
        'Learning rate',
        'Losses that jump where it is highest call for a lower one; a run '
        'judged before it has come down is judged too early.',
        of('lr'),
    )
    sections['Parts of the detection loss'] = [
        found
        for key in keys
        if is_detection(key)
        for found in chart(
            key, 'One part of the sum above; read it in the same way.', of(key)
        )
    ]
    sections['Domains'] = [
        found
        for key in keys
        if key.startswith(ACCURACY)
        for found in chart(
            f'How often a domain classifier is right: {key}',
            'Percent: at 50 it only guesses, at 100 it always tells source '
            'from target; near 50 does not say that the detector has become '
            'better.',
            of(key),
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
            'At the dotted line the classifier only guesses; well below it, '
            'it tells the domains apart; neither says whether the detector '
            'has become better.',
            of(key),
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
            'It compares the two classifiers; near zero they say the same of '
            'an image and of its objects.',
            of(key),
        )
    ]
    sections['Pseudo-labels'] = chart(
        'Pseudo-labels an image',
        'It should level off: a fall towards zero is a collapse, a rise '
        'beyond the objects in an image is a teacher that believes its own '
        'false alarms.',
        of('pseudo_boxes'),
    )
    for key in keys:
        if key.startswith('pseudo_boxes/'):
            name = key.split('/', 1)[1]
            sections['Pseudo-labels'] += chart(
                f'Pseudo-labels an image: {name}',
                f'A fall towards zero means that the student unlearns {name}.',
                of(key),
            )
    sections['Pseudo-labels'] += chart(
        'Agreement of teacher and student',
        'The share of detections that both have: near 1 the student has '
        'nothing left to learn from this teacher.',
        of('pseudo_agreement'),
        y_max=1.05,
    )
    return {title: found for title, found in sections.items() if found}
