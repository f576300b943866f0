"""Sigmoid or softmax scores, and which of them are confident."""

import inspect

from mmdet.registry import MODELS

from da_faster.config_tree import box_head, detector_of

# Losses whose scores are sigmoids unless their config says otherwise.
SIGMOID = (
    'FocalLoss', 'QualityFocalLoss', 'VarifocalLoss', 'GaussianFocalLoss',
    'EQLV2Loss', 'FocalCustomLoss', 'GHMC',
)  # fmt: skip
# (lowest score of a confident detection, lowest score of an uncertain one).
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
    """The losses that a head takes where its config does not give them."""
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
            break  # no keyword reaches the next base class
    return losses


def score_bounds(sigmoid: bool) -> tuple[float, float]:
    """The lowest score of a confident detection, and of an uncertain one."""
    return SIGMOID_SCORES if sigmoid else SOFTMAX_SCORES
