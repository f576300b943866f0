"""Detectors that cannot be adapted, told in a sentence."""

from da_faster.config_tree import detector_of, types_in
from da_faster.detectors import Detector, custom_classes
from da_faster.errors import UserError


def check_teachable(detector: Detector) -> None:
    """Raises a UserError for a detector that boxes alone cannot teach.

    Such a detector may well label images for another one.
    """
    head = detector_of(detector.config.model).get('roi_head') or {}
    if 'PointRend' in str(head.get('type')):
        raise UserError(
            f'{detector.name} is a PointRend, which fails on images without '
            'objects, and the teacher may see none: take a Mask R-CNN.'
        )
    if head.get('semantic_head'):
        raise UserError(
            f'{detector.name} has a semantic_head, which learns from maps '
            'that no detector draws: take a config without it, such as '
            'htc-without-semantic_r50_fpn_1x_coco.'
        )


def check_stock_parts(detector: Detector, source: bool) -> None:
    """Raises a UserError for code that stock MMDetection does not have.

    Without that code ``adapted.py`` would be another detector in silence, and
    ``adapt.py`` would train with another optimizer.

    Args:
        detector (Detector): The detector to adapt.
        source (bool): Whether its own training data are used.
    """
    cfg = detector.config
    foreign = {
        kind: cls.__module__
        for kind, (cls, _) in custom_classes().items()
        if cls.__module__.split('.')[0] != 'da_faster'
    }
    parts = [
        cfg.model,
        detector.test_dataset,
        cfg.get('optim_wrapper'),
        dict(type=(cfg.get('optim_wrapper') or {}).get('constructor')),
    ]
    if source:
        parts.append(cfg.get('train_dataloader'))
    for kind in types_in(parts):
        if kind in foreign:
            raise UserError(
                f'{detector.name} has {kind} of {foreign[kind]}. What this '
                'command leaves does without such code: write the config '
                'without it.'
            )
