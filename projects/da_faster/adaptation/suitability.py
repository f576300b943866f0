"""Detectors and images that do not suit an adaptation."""

from da_faster.config_tree import detector_of, types_in
from da_faster.detectors import Detector, custom_classes
from da_faster.errors import UserError

from .few_labels import check_true_labels
from .overlap import check_other_images
from .settings import Settings


def check_suitable(detector: Detector, settings: Settings) -> None:
    """Checks a detector and the images of an adaptation.

    Args:
        detector (Detector): The detector to adapt.
        settings (Settings): The choices of the user.

    Raises:
        UserError: If the detector cannot be adapted, or if the images or
            labels are not those of another domain.
    """
    detector.check_box_head()
    check_teachable(detector)
    check_stock_parts(detector, settings.source)
    detector.check_test_pipeline()
    detector.check_learning_rate()
    check_other_images(detector, settings.target)
    if settings.target_labels:
        check_true_labels(settings.target_labels)


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
                f'{detector.name} has {kind} of {foreign[kind]}. The adapted '
                'detector has no such code: write the config without it.'
            )
