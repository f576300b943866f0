"""From which score on a detector means it."""

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
    model = model.get('detector', model)  # of a MeanTeacher
    head = (model.get('roi_head') or model).get('bbox_head') or {}
    if isinstance(head, (list, tuple)):
        head = head[-1]
    loss = head.get('loss_cls') or {}
    default = loss.get('type', 'FocalLoss') in SIGMOID
    return bool(loss.get('use_sigmoid', default))


def score_bounds(sigmoid: bool) -> tuple[float, float]:
    """The score of a sure detection, and the lowest of an unsure one."""
    return SIGMOID_SCORES if sigmoid else SOFTMAX_SCORES
