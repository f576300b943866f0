"""The variants of a training step, as changes of a config or a model."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from torch import nn

from da_faster.config_tree import detector_of, has_teacher
from da_faster.errors import UserError

from .teacher_step import detectors

STOCK = dict(
    DAFasterRCNN='FasterRCNN',
    DASingleStageDetector='SingleStageDetector',
    DARoIHead='StandardRoIHead',
    DomainDataPreprocessor='DetDataPreprocessor',
)
DOMAIN_PARTS = ('loss_consistency', 'instance_domain_head', 'domain_neck')


def stock(model: ConfigDict, optimizer: dict) -> None:
    """Changes a config to that of MMDetection's detector, except for VGG16."""
    if has_teacher(model):
        detector = detector_of(model)
        model.clear()
        model.update(detector)
    for part in DOMAIN_PARTS:
        model.pop(part, None)
    for part in (model, model.get('roi_head', {}), model.data_preprocessor):
        if part:
            part.type = STOCK.get(part.type, part.type)


def without(*parts: str) -> Callable:
    """Switches parts of the detector off."""

    def change(model: ConfigDict, optimizer: dict) -> None:
        detector = detector_of(model)
        detector.update({k: None for k in parts if k in detector})

    return change


def setting(name: str, **options) -> Callable:
    """Sets options of a part of the detector."""

    def change(model: ConfigDict, optimizer: dict) -> None:
        detector = detector_of(model)
        if not detector.get(name):
            raise UserError(
                f'The config has no {name}; leave out the '
                f'variant that sets its {", ".join(options)}.'
            )
        detector[name].update(options)

    return change


def teaching(soft: bool, classifiers: bool) -> Callable:
    """Sets how a MeanTeacher learns the target.

    Args:
        soft (bool): Whether to use soft labels, not hard ones.
        classifiers (bool): Whether the domain classifiers train, too.
    """

    def change(model: ConfigDict, optimizer: dict) -> None:
        if not has_teacher(model):
            raise UserError(
                'The config has no teacher; leave out the variants "hard" and '
                '"soft", or take a mean_teacher config.'
            )
        if classifiers and not any(map(detector_of(model).get, DOMAIN_PARTS)):
            raise UserError(
                "The config's detector has no domain classifiers; leave out "
                'the variants that train them.'
            )
        model.align = 'always' if classifiers else 'burn-in'
        model.distillation = (
            dict(type='TwoStageDistillation') if soft else None
        )

    return change


def option(**options) -> Callable:
    """Sets options of the optimizer."""

    def change(model: ConfigDict, optimizer: dict) -> None:
        optimizer.update(options)

    return change


def two_passes(own_padding: bool) -> Callable:
    """Sends each domain through the backbone in a pass of its own.

    Args:
        own_padding (bool): Whether images are padded to the largest image of
            their own domain, and features to those of the other domain.
    """

    def change(model: nn.Module, batch: dict) -> None:
        if 'target_weak' in batch['inputs']:
            raise UserError(
                'A teacher has a pass for each domain; leave out '
                '"two-passes" and "own-padding".'
            )
        extract = model.extract_feat
        divisor = model.data_preprocessor.pad_size_divisor
        sizes = [
            [
                -(-max(image.shape[axis] for image in images) // divisor)
                * divisor
                for axis in (1, 2)
            ]
            for images in batch['inputs'].values()
        ]

        def extract_feat(images):
            halves = images.chunk(2)
            if own_padding:
                halves = [x[..., :h, :w] for x, (h, w) in zip(halves, sizes)]
            return tuple(map(join, zip(*map(extract, halves))))

        model.extract_feat = extract_feat

    def join(level) -> torch.Tensor:
        height, width = (max(x.shape[axis] for x in level) for axis in (2, 3))
        return torch.cat(
            [
                F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2]))
                for x in level
            ]
        )

    return change


def channels_last(model: nn.Module, batch: dict) -> None:
    """Sets the layout of the backbones; RoIAlign takes only the usual one."""
    for detector in detectors(model):
        backbone = detector.backbone.to(memory_format=torch.channels_last)
        backbone.forward = back_and_forth(backbone.forward)


def back_and_forth(forward: Callable) -> Callable:
    """Changes the layout of input and output around a forward method."""

    def change(x):
        x = x.contiguous(memory_format=torch.channels_last)
        return tuple(level.contiguous() for level in forward(x))

    return change


def compiled(model: nn.Module, batch: dict) -> None:
    """Compiles the backbones."""
    for detector in detectors(model):
        detector.backbone.compile()


# A variant is a function that changes the config, and one for the model.
VARIANTS: dict[str, tuple] = {
    'stock': (stock, None),
    'ours': (None, None),
    'off': (without(*DOMAIN_PARTS), None),
    'no-consistency': (without('loss_consistency'), None),
    'image': (without('loss_consistency', 'instance_domain_head'), None),
    'every-second-cell': (setting('domain_neck', cell_stride=2), None),
    'fresh-dropout': (
        setting('instance_domain_head', shared_dropout=False),
        None,
    ),
    'frozen-norms': (
        setting('backbone', norm_cfg=dict(type='BN', requires_grad=False)),
        None,
    ),
    'two-passes': (None, two_passes(own_padding=False)),
    'own-padding': (None, two_passes(own_padding=True)),
    'hard': (teaching(soft=False, classifiers=False), None),
    'soft': (teaching(soft=True, classifiers=False), None),
    'hard-classifiers': (teaching(soft=False, classifiers=True), None),
    'soft-classifiers': (teaching(soft=True, classifiers=True), None),
    'channels-last': (None, channels_last),
    'compile': (None, compiled),
    'foreach': (option(foreach=True), None),
    'for-loop': (option(foreach=False), None),
    'fused': (option(fused=True), None),
}
