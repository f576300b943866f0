"""The first sentence of a report."""

from da_faster.benchmarking.certainty import MIN_IMAGES, Gain


def count(number: int, noun: str) -> str:
    """A number with its noun: '1 seed', '3 seeds'."""
    return f'{number} {noun}{"" if number == 1 else "s"}'


def gain_sentence(last: str, first: str, ours: float, gain: Gain) -> str:
    """Says what a method gains over the baseline, and whether by chance.

    Args:
        last (str): Name of the method.
        first (str): Name of the baseline.
        ours (float): AP50 of the method, percent.
        gain (Gain): Gain of the method over the baseline.
    """
    if abs(gain.mean) < 0.05:
        difference = 'as much as'
    else:
        word = 'more' if gain.mean > 0 else 'less'
        difference = f'{abs(gain.mean):.1f} {word} than'
    low, high = gain.mean - gain.half_width, gain.mean + gain.half_width
    interval = (
        f'(90 % interval over {count(gain.runs, "seed")} and '
        f'{count(gain.images, "test image")}: {low:+.1f} to {high:+.1f})'
    )
    if gain.significant:
        chance = f'that is more than chance {interval}'
    elif gain.runs < 2:
        chance = 'one seed does not say whether that is more than chance'
    elif gain.images < MIN_IMAGES:
        chance = (
            f'{count(gain.images, "test image")} cannot say whether that is '
            'more than chance'
        )
    else:
        chance = f'that may be chance {interval}'
    return (
        f'On the target, {last} reaches {ours:.1f} AP50, {difference} {first} '
        f'({ours - gain.mean:.1f}); {chance}.'
    )


def single_sentence(name: str, ours: float, given: int, scored: int) -> str:
    """Gives the AP50 of a method that cannot be compared with another one.

    Args:
        name (str): Name of the method.
        ours (float): AP50 of the method, percent.
        given (int): Number of methods in the report, this one included.
        scored (int): Number of methods with detections, this one included.
    """
    if given == 1:
        why = (
            'To see what was gained, give the run that it is to beat as the '
            'first WORK_DIR.'
        )
    elif scored == 1:
        why = (
            'What was gained is not known: no other run has detections of '
            'labelled target images.'
        )
    else:
        why = 'There is nothing to compare it with: the others are oracles.'
    return f'On the target, {name} reaches {ours:.1f} AP50. {why}'


def unknown_sentence(first: str = '') -> str:
    """Says that the gain is not known, as detections are missing.

    Args:
        first (str): Name of the baseline if it alone has no detections; empty
            if no run has any.
    """
    who = f'{first}, which is to be beaten, has no' if first else 'no run has'
    return (
        f'What was gained on the target is not known: {who} '
        'detections of labelled target images.'
    )
