"""What an adaptation does, in a few lines."""

from mmengine.config import Config
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from da_faster.config_tree import last_name

from .derived import Derived
from .loaders import with_flip


def describe(
    cfg: Config, new: Config, derived: Derived, model: nn.Module
) -> list[str]:
    """What it takes from a detector's config, and what options made of it.

    Args:
        cfg (Config): Of the detector.
        new (Config): Of the adaptation.
        derived (Derived): What was taken.
        model (nn.Module): Built from ``new``.

    Returns:
        list[str]: Lines.
    """
    scores = 'sigmoids' if derived.sigmoid else 'a softmax'
    labels = new.model.get('pseudo_labels') or {}
    sure, unsure = labels.get('threshold'), labels.get('ignore_above')
    steps = [step['type'] for step in with_flip(derived)]
    lr = new.optim_wrapper.optimizer.lr
    how = f' ({derived.lr_from})' if lr == derived.lr else ''
    norms = [m for m in model.student.modules() if isinstance(m, _BatchNorm)]
    moving = sum(norm.training for norm in norms)
    hooks = {hook.type: hook for hook in new.custom_hooks}
    teacher = hooks['SelfTrainingHook']
    left = [
        str(hook['type'])
        for hook in cfg.get('custom_hooks') or []
        if hook['type'] not in hooks
    ] + changed_in_training(cfg, new)
    lines = [
        f'classes: {", ".join(derived.classes)}',
        f'scores: {scores}; labels from {sure}, unsure from {unsure}',
        f'target: {", ".join(steps)}; the student sees other colours and blur',
        f'an iteration: {", ".join(images(new))}',
        f'learning rate: {lr:.3g}{how}',
        f'batch norms: {len(norms)}, {moving} of which follow the images',
        f'teacher: momentum {teacher.get("momentum")}',
        f'its labels: weight {new.model.get("target_weight")}',
        f'adapted.pth: {new.blend:.0%} of the way to the teacher',
    ]
    return lines + ([f'left out: {", ".join(left)}'] if left else [])


def changed_in_training(cfg: Config, new: Config) -> list[str]:
    """What of a config's loader and optimizer an adaptation does without."""
    left = []
    loader = cfg.get('train_dataloader') or {}
    kind = last_name((loader.get('sampler') or {}).get('type'))
    with_source = 'target_dataloader' in new.train_cfg
    if with_source and kind not in (
        'None',
        'DefaultSampler',
        'InfiniteSampler',
    ):
        left.append(f'{kind} of the source')
    wrapper = cfg.optim_wrapper
    kind = wrapper.get('type', 'OptimWrapper')
    if wrapper.get('accumulative_counts', 1) > 1:
        left.append('accumulative_counts')
    if kind != new.optim_wrapper.type:
        left.append(f'{kind}, which needs a GPU')
    return left


def images(new: Config) -> list[str]:
    """How many of which kind a batch has."""
    target = new.train_cfg.get('target_dataloader')
    loader = new.train_dataloader
    unlabelled = f'{(target or loader).batch_size} of the target'
    if not target:
        return [unlabelled]
    ratio = (loader.get('sampler') or {}).get('source_ratio')
    if ratio and len(ratio) == 2:
        source, few = ratio
        return [unlabelled, f'{source} of the source', f'{few} labelled']
    return [unlabelled, f'{loader.batch_size} labelled']
