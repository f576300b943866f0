"""From which score on a detector means it."""

import inspect

from mmdet.registry import MODELS

from da_faster.config_tree import box_head, detector_of

# Losses whose scores are sigmoids unless their config says otherwise.
SIGMOID = (
    'FocalLoss', 'QualityFocalLoss', 'VarifocalLoss', 'GaussianFocalLoss',
    'EQLV2Loss',
)  # fmt: skip
# Where a score means "an object": (threshold, lowest score that is ignored).
# A softmax has to share its mass with the background, a sigmoid trained with a
# focal loss stays low.
SOFTMAX_SCORES = 0.5, 0.3
SIGMOID_SCORES = 0.4, 0.2


def scores_are_sigmoids(model: dict) -> bool:
    """Whether the scores of a detector are sigmoids, or a softmax."""
    head = box_head(detector_of(model)) or {}
    losses = {**default_losses(head.get('type')), **head}
    if 'loss_cls' in losses:
        loss = losses['loss_cls']
        return bool(loss.get('use_sigmoid', loss.get('type') in SIGMOID))
    # A head of heatmaps has a loss of another name, SSD's has none to choose.
    return any(
        isinstance(loss, dict) and loss.get('type') in SIGMOID
        for loss in losses.values()
    )


def default_losses(name: str | None) -> dict:
    """What a head takes for the losses that its config does not give."""
    cls = name and MODELS.get(name)
    losses: dict = {}
    for base in inspect.getmro(cls) if inspect.isclass(cls) else ():
        arguments = inspect.signature(base.__init__).parameters.values()
        for argument in arguments:
            if argument.name.startswith('loss_') and isinstance(
                argument.default, dict
            ):
                losses.setdefault(argument.name, argument.default)
        if not any(a.kind is a.VAR_KEYWORD for a in arguments):
            break  # the others' are not to be reached
    return losses


def score_bounds(sigmoid: bool) -> tuple[float, float]:
    """The score of a sure detection, and the lowest of an unsure one."""
    return SIGMOID_SCORES if sigmoid else SOFTMAX_SCORES
