"""What an adaptation takes from the config of a detector."""

from collections.abc import Iterator
from typing import NamedTuple

from mmengine.config import Config

from da_faster.apis.detectors import class_names
from da_faster.apis.score_kinds import score_bounds, scores_are_sigmoids
from da_faster.apis.type_names import with_type_names
from da_faster.checkpoint_conversion.stock_config import custom_classes
from da_faster.config_tree import (
    box_head,
    detector_of,
    head_classes,
    last_name,
    leaves,
    steps_of,
    types_in,
)
from da_faster.errors import UserError


class Derived(NamedTuple):
    """What an adaptation takes from a config.

    Attributes:
        classes (tuple[str]): In the detector's order.
        sigmoid (bool): Whether scores are sigmoids, or a softmax.
        geometry (list[dict]): Transforms that load an image and bring it to
            the size of a test, without labels.
        flip (dict, optional): The training's RandomFlip.
        lr (float): Learning rate.
        lr_from (str): What it was computed from.
        batch_size (int): Images an iteration.
    """

    classes: tuple
    sigmoid: bool
    geometry: list
    flip: dict | None
    lr: float
    lr_from: str
    batch_size: int

    @property
    def scores(self) -> tuple[float, float]:
        """Threshold of a label, and lowest score that is ignored."""
        return score_bounds(self.sigmoid)


def derive(
    cfg: Config, name: str = 'the config', labelled: bool = False
) -> Derived:
    """Reads a detector's config.

    The learning rate is a part of the config's: a tenth, or three tenths where
    labelled images say what is right. SGD's is scaled with the number of
    images an iteration (``auto_scale_lr.base_batch_size``); Adam's is not, as
    its steps hardly depend on it. That of an adaptation stays.

    Args:
        cfg (Config): Of MMDetection, to train and test with.
        name (str): Of the config, for messages.
        labelled (bool): Whether the adaptation has labelled images.

    Raises:
        UserError: If it has no test pipeline, no classes or no optimizer.
    """
    cfg = with_type_names(cfg)
    need_box_head(cfg, name)
    test = test_dataset(cfg, name)
    pipeline = flat(test.get('pipeline') or ())
    if not any(step['type'].startswith('Load') for step in pipeline):
        raise UserError(
            f'{name} has no test pipeline that loads an image: give '
            'test_dataloader.dataset a pipeline, as MMDetection has it.'
        )
    if any('TestTimeAug' in step['type'] for step in pipeline):
        raise UserError(
            f'{name} tests with test-time augmentation: give '
            'test_dataloader.dataset its plain pipeline.'
        )
    shifting = [s['type'] for s in pipeline if 'CenterCropPad' in s['type']]
    if shifting:
        raise UserError(
            f'{name} tests with {shifting[0]}, which shifts an image without '
            'its boxes, so CenterNet and CornerNet cannot be adapted: take '
            'another detector, or another test pipeline.'
        )
    for step in pipeline:
        if step.get('color_type') == 'grayscale':
            raise UserError(
                f'{name} loads images of one channel: adaptation changes '
                "colours, so it takes a detector of color_type='color'."
            )
    geometry = [
        dict(step)
        for step in pipeline
        if last_name(step['type']) not in ('LoadAnnotations', 'PackDetInputs')
    ]
    batch_size = min(train_batch(cfg), 2)
    lr, lr_from = learning_rate(cfg, batch_size, labelled, name)
    return Derived(
        classes=find_classes(cfg, name),
        sigmoid=scores_are_sigmoids(cfg.model),
        geometry=geometry,
        flip=find_flip(cfg),
        lr=lr,
        lr_from=lr_from,
        batch_size=batch_size,
    )


def flat(steps) -> list[dict]:
    """The steps of a pipeline, those inside a list of choices left out."""
    return [step for step in steps if isinstance(step, dict)]


def test_dataset(cfg: Config, name: str) -> dict:
    """The config of the test dataset, out of its wrappers."""
    for dataset in leaves(cfg.get('test_dataloader')):
        return dataset
    raise UserError(
        f'{name} has no test_dataloader, whose pipeline says how images are '
        'brought to size: complete it.'
    )


def need_box_head(cfg: Config, name: str) -> None:
    """Raises a UserError for what finds no boxes."""
    model = cfg.get('model') or {}
    if not box_head(detector_of(model)):
        raise UserError(
            f'{name} has no bbox_head in its model '
            f'({model.get("type", "none")}): it takes a detector that finds '
            'boxes.'
        )


def need_boxes_to_teach(cfg: Config, name: str) -> None:
    """Raises a UserError for what boxes alone cannot teach.

    It may well label images for another detector.
    """
    head = cfg.model.get('roi_head') or {}
    if 'PointRend' in str(head.get('type')):
        raise UserError(
            f'{name} is a PointRend, which fails on images without objects, '
            'and the teacher may see none: take a Mask R-CNN.'
        )
    if head.get('semantic_head'):
        raise UserError(
            f'{name} has a semantic_head, which learns from maps that no '
            'detector draws: take a config without it, such as '
            'htc-without-semantic_r50_fpn_1x_coco.'
        )


def need_stock_parts(cfg: Config, source: bool, name: str) -> None:
    """Raises a UserError for code that stock MMDetection does not have.

    Nor would ``adapted.py``, which would be another detector in silence, or
    ``adapt.py``, which would be trained by another optimizer.
    """
    foreign = {
        kind: cls.__module__
        for kind, (cls, _) in custom_classes().items()
        if cls.__module__.split('.')[0] != 'da_faster'
    }
    parts = [
        cfg.model,
        test_dataset(cfg, name),
        cfg.get('optim_wrapper'),
        dict(type=(cfg.get('optim_wrapper') or {}).get('constructor')),
    ]
    if source:
        parts.append(cfg.get('train_dataloader'))
    for kind in types_in(parts):
        if kind in foreign:
            raise UserError(
                f'{name} has {kind} of {foreign[kind]}. What this command '
                'leaves does without such code: write the config without it.'
            )


def find_classes(cfg: Config, name: str) -> tuple:
    """The names of the classes, in the detector's order."""
    try:
        classes = class_names(cfg)
    except UserError as error:
        raise UserError(f'{name}: {error}') from error
    if not classes:
        raise UserError(
            f'{name} names no classes: give its datasets '
            'metainfo=dict(classes=(...)).'
        )
    for path, number in head_classes(cfg.model):
        if number != len(classes):
            raise UserError(
                f'{name}: {path}={number}, but its datasets have '
                f'{len(classes)} classes ({" ".join(classes)}): give them '
                'metainfo=dict(classes=(...)).'
            )
    return classes


def find_flip(cfg: Config) -> dict | None:
    """The RandomFlip of the training pipeline."""
    for step in training_steps(cfg):
        if last_name(step['type']) == 'RandomFlip':
            return dict(step)
    return None


def with_memory(cfg: Config) -> list[str]:
    """Transforms of the training that keep images of earlier samples.

    What they make of a sample depends on what the process has loaded before.
    """
    return [
        step['type']
        for step in training_steps(cfg)
        if last_name(step['type']).startswith('Cached')
    ]


def training_steps(cfg: Config) -> Iterator[dict]:
    """All steps of the training pipelines, those of wrappers first."""
    return steps_of(cfg.get('train_dataloader'))


def train_batch(cfg: Config) -> int:
    """Images of a batch of the config's own training."""
    return (cfg.get('train_dataloader') or {}).get('batch_size') or 2


def learning_rate(
    cfg: Config, batch_size: int, labelled: bool, name: str
) -> tuple[float, str]:
    """A part of the config's, and how it came about; see :func:`derive`."""
    wrapper = cfg.get('optim_wrapper') or {}
    optimizer = wrapper.get('optimizer') or {}
    if not optimizer.get('lr'):
        raise UserError(
            f'{name} has no optim_wrapper.optimizer.lr, from which the '
            'learning rate follows: give optim_wrapper.'
        )
    if 'blend' in cfg:  # what adapt_config made
        return optimizer['lr'], 'that of the adaptation before'
    part = 0.3 if labelled else 0.1
    lr_from = f'{part} of {optimizer["lr"]:.3g}'
    if str(optimizer.get('type')) == 'SGD':
        base = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
        base = base or train_batch(cfg) * wrapper.get('accumulative_counts', 1)
        part *= batch_size / base
        lr_from += f' for {base} images, here for {batch_size}'
    return float(f'{optimizer["lr"] * part:.6g}'), lr_from
