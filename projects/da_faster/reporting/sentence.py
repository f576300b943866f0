"""The sentence that a report begins with."""

from da_faster.benchmarking.certainty import FEWEST, Gain


def number(value: int, what: str) -> str:
    """'1 seed', '3 seeds'."""
    return f'{value} {what}{"" if value == 1 else "s"}'


def gain_sentence(last: str, first: str, ours: float, gain: Gain) -> str:
    """What was gained on the target, over what, and whether by chance.

    Args:
        last (str): Name of the method.
        first (str): Name of what it is compared with.
        ours (float): The method's AP50, percent.
        gain (Gain): Of the one over the other.
    """
    if abs(gain.mean) < 0.05:
        much = 'as much as'
    else:
        word = 'more' if gain.mean > 0 else 'less'
        much = f'{abs(gain.mean):.1f} {word} than'
    low, high = gain.mean - gain.half, gain.mean + gain.half
    interval = (
        f'(90 % interval over {number(gain.runs, "seed")} and '
        f'{number(gain.images, "test image")}: {low:+.1f} to {high:+.1f})'
    )
    if gain.sure:
        chance = f'that is more than chance {interval}'
    elif gain.runs < 2:
        chance = 'one seed does not say whether that is more than chance'
    elif gain.images < FEWEST:
        chance = (
            f'{number(gain.images, "test image")} cannot say whether that is '
            'more than chance'
        )
    else:
        chance = f'that may be chance {interval}'
    return (
        f'On the target, {last} reaches {ours:.1f} AP50, {much} {first} '
        f'({ours - gain.mean:.1f}); {chance}.'
    )


def single_sentence(name: str, ours: float, given: int, scored: int) -> str:
    """Of one method, beside which there is none to judge.

    Args:
        name (str): Of the method.
        ours (float): Its AP50, percent.
        given (int): How many methods there are, this one among them.
        scored (int): How many of them have detections.
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
    """Where it cannot be known.

    Args:
        first (str): Name of what is to be beaten, where it alone is to blame.
    """
    who = f'{first}, which is to be beaten, has no' if first else 'no run has'
    return (
        f'What was gained on the target is not known: {who} '
        'detections of labelled target images.'
    )
