"""The localization losses of MMDetection's heads."""

# Parts of the names of these losses.
LOCALIZATION_LOSSES = (
    'bbox', 'iou', 'centerness', 'mask', 'dfl', '_l1', '_xy', '_wh', '_pts',
    '_grid', '_point', '_reg', '_offset', '_shape', '_carl', '_dice', '_ld',
    'centripetal', 'guiding', 'off_loss', 'pull_', 'push_',
)  # fmt: skip


def is_localization_loss(name: str) -> bool:
    """Whether a loss measures the position of boxes or masks.

    Args:
        name (str): Key in the losses of a detector, such as ``loss_bbox``.
    """
    return any(part in name for part in LOCALIZATION_LOSSES)
