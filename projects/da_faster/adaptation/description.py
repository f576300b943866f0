"""Notes on an adaptation: what a detector gives, what is left out."""

from mmengine.config import Config
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from da_faster.config_tree import dataloaders, steps_of
from da_faster.detectors import Detector

from .configuration import learning_rate
from .settings import Settings


def describe(
    detector: Detector, settings: Settings, new: Config, model: nn.Module
) -> list[str]:
    """Says what an adaptation takes from a detector, and what it leaves out.

    Args:
        detector (Detector): The detector to adapt.
        settings (Settings): The choices of the user.
        new (Config): The config of the adaptation, options included.
        model (nn.Module): The model of ``new``.

    Returns:
        list[str]: Lines.
    """
    cfg = detector.config
    scores = 'sigmoids' if detector.has_sigmoid_scores else 'a softmax'
    labels = new.model.get('pseudo_labels') or {}
    confident = labels.get('threshold')
    low = labels.get('ignore_above')
    steps = [step['type'] for step in steps_of(dataloaders(new)['target'])]
    steps = [kind for kind in steps if kind != 'MultiBranch']
    lr = new.optim_wrapper.optimizer.lr
    rate, lr_from = learning_rate(detector, settings.labelled)
    how = f' ({lr_from})' if lr == rate else ''
    norms = [m for m in model.student.modules() if isinstance(m, _BatchNorm)]
    moving = sum(norm.training for norm in norms)
    hooks = {hook.type: hook for hook in new.custom_hooks}
    teacher = hooks['SelfTrainingHook']
    left = [
        hook['type']
        for hook in cfg.get('custom_hooks') or []
        if hook['type'] not in hooks
    ] + changed_in_training(detector, settings, new)
    blend = new.adaptation.blend
    lines = [
        f'classes: {", ".join(detector.classes)}',
        f'scores: {scores}; confident from {confident}, uncertain from {low}',
        f'target: {", ".join(steps)}; the student sees changed colours, blur',
        f'images an iteration: {", ".join(images(new))}',
        f'learning rate: {lr:.3g}{how}',
        f'batch norms: {len(norms)}, {moving} of which update statistics',
        f'teacher: momentum {teacher.get("momentum")}',
        f"weight of the teacher's labels: {new.model.get('target_weight')}",
        f'adapted.pth: {blend:.0%} of the way to the teacher',
    ]
    if left:
        lines.append(f'left out: {", ".join(left)}')
    if settings.source and detector.image_caches:
        lines.append(
            f'{", ".join(detector.image_caches)} of the source keep earlier '
            'images: a resumed training will differ from an uninterrupted one'
        )
    return lines


def changed_in_training(
    detector: Detector, settings: Settings, new: Config
) -> list[str]:
    """Names what an adaptation leaves out of the loader and the optimizer."""
    left = []
    loader = detector.config.get('train_dataloader') or {}
    sampler = (loader.get('sampler') or {}).get('type')
    usual = (None, 'DefaultSampler', 'InfiniteSampler')
    if settings.source and sampler not in usual:
        left.append(f'{sampler} of the source')
    wrapper = detector.config.optim_wrapper
    wrapper_type = wrapper.get('type', 'OptimWrapper')
    if wrapper.get('accumulative_counts', 1) > 1:
        left.append('accumulative_counts')
    if wrapper_type != new.optim_wrapper.type:
        left.append(f'{wrapper_type}, which needs a GPU')
    return left


def images(new: Config) -> list[str]:
    """Counts the images of a batch, by their role."""
    loaders = dataloaders(new)
    unlabelled = f'{loaders["target"].batch_size} of the target'
    loader = loaders.get('source')
    if not loader:
        return [unlabelled]
    ratio = (loader.get('sampler') or {}).get('source_ratio')
    if ratio and len(ratio) == 2:
        source, few = ratio
        return [unlabelled, f'{source} of the source', f'{few} labelled']
    return [unlabelled, f'{loader.batch_size} labelled']
