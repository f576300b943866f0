"""Walks the configs of MMDetection, and its built models.

The one file that knows how a detector, its heads, datasets and pipelines are
nested. All functions are pure; a config is any nested dict.
"""

import os.path as osp
from collections.abc import Iterator

from torch import nn


def last_name(kind: object) -> str:
    """The class name in a ``type``: ``A`` of ``A``, ``'A'`` and ``'x.y.A'``.

    The name of a missing type is ``'None'``.
    """
    return getattr(kind, '__name__', str(kind)).split('.')[-1]


def types_in(value: object) -> Iterator[str]:
    """All texts that stand as ``type`` in a nested part of a config."""
    if isinstance(value, dict):
        if isinstance(value.get('type'), str):
            yield value['type']
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from types_in(item)


# Models


def part_of(model: dict | nn.Module | None, name: str):
    """A named part of a model, built or not; None where there is none."""
    if isinstance(model, dict):
        return model.get(name)
    return getattr(model, name, None)


def detector_of(model: dict) -> dict:
    """The config of the detector itself, out of a MeanTeacher."""
    return model.get('detector') or model


def has_teacher(model: dict) -> bool:
    """Whether the model of a config is a detector within a MeanTeacher."""
    return 'detector' in model


def last_stage(part):
    """The last of the stages of a cascade; any other part as it is."""
    several = isinstance(part, (list, tuple, nn.ModuleList))
    return part[-1] if several and len(part) else part


def box_head(model: dict | nn.Module):
    """The head that classifies boxes, of the last stage.

    Args:
        model (dict or Module): A one-stage or two-stage detector.

    Returns:
        dict or Module: The head; None where the detector has none.
    """
    heads = part_of(model, 'roi_head') or model
    return last_stage(part_of(heads, 'bbox_head'))


def has_masks(model: dict) -> bool:
    """Whether a detector has a mask head, and so learns from masks."""
    return any(
        part_of(part, 'mask_head')
        for part in (model, part_of(model, 'roi_head') or {})
    )


def head_classes(model, path: str = 'model') -> Iterator[tuple[str, int]]:
    """(dotted key, value) of every ``num_classes`` of a box or mask head."""
    if isinstance(model, (list, tuple)):
        for i, item in enumerate(model):
            yield from head_classes(item, f'{path}.{i}')
    elif isinstance(model, dict):
        for key, value in model.items():
            if key == 'num_classes' and (
                'bbox_head' in path or 'mask_head' in path
            ):
                yield f'{path}.{key}', value
            else:
                yield from head_classes(value, f'{path}.{key}')


def without_pretrained(model):
    """Copies a part of a model's config, without weights to download."""
    if isinstance(model, (list, tuple)):
        return type(model)(
            without_pretrained(item)
            for item in model
            if not is_pretrained(item)
        )
    if not isinstance(model, dict):
        return model
    return type(model)(
        {
            key: None
            if key == 'init_cfg' and is_pretrained(item)
            else without_pretrained(item)
            for key, item in model.items()
        }
    )


def is_pretrained(init_cfg: object) -> bool:
    """Whether a part of a config loads weights from a file or a URL."""
    return isinstance(init_cfg, dict) and init_cfg.get('type') == 'Pretrained'


# Dataloaders and datasets


def dataloaders(cfg: dict) -> dict[str, dict]:
    """The dataloaders of a config by their role.

    Returns:
        dict[str, dict]: ``source`` (training images with labels), ``target``
        (training images without), ``test`` and ``val``, where there are any.
    """
    train_cfg = cfg.get('train_cfg') or {}
    source = cfg.get('train_dataloader')
    target = train_cfg.get('target_dataloader')
    if last_name(train_cfg.get('type')) == 'TargetLoop':
        source, target = None, source
    found = dict(
        source=source,
        target=target,
        test=cfg.get('test_dataloader'),
        val=cfg.get('val_dataloader'),
    )
    return {role: loader for role, loader in found.items() if loader}


def inner_datasets(wrapper: dict) -> list[dict]:
    """The datasets directly in a wrapper; none in any other dataset.

    Wrappers are RepeatDataset, ConcatDataset and the like.
    """
    if 'dataset' in wrapper:
        return [wrapper['dataset']]
    return list(wrapper.get('datasets') or ())


def all_datasets(dataset: dict) -> Iterator[dict]:
    """A dataset and all datasets in it, wrappers first."""
    yield dataset
    for inner in inner_datasets(dataset):
        yield from all_datasets(inner)


def unwrapped_datasets(loader: dict | None) -> Iterator[dict]:
    """The datasets of a dataloader that read files, without their wrappers."""
    for dataset in all_datasets((loader or {}).get('dataset') or {}):
        if dataset and not {'dataset', 'datasets'}.intersection(dataset):
            yield dataset


def last_pipelines(dataset: dict) -> Iterator[dict]:
    """The datasets whose pipelines a sample passes last.

    That is the outermost dataset with a pipeline of its own, on each branch.
    """
    if dataset.get('pipeline'):
        yield dataset
        return
    for inner in inner_datasets(dataset):
        yield from last_pipelines(inner)


def image_folder(dataset: dict) -> str:
    """The folder that a dataset's file names are relative to, or ''."""
    prefix = dataset.get('data_prefix') or {}
    below = prefix.get('img') or prefix.get('sub_data_root') or ''  # VOC
    return osp.join(dataset.get('data_root') or '', below)


# Pipelines


def all_steps(steps) -> Iterator[dict]:
    """All transforms of a pipeline, those within a choice too."""
    for step in steps:
        if isinstance(step, (list, tuple)):
            yield from all_steps(step)
        elif isinstance(step, dict) and 'type' in step:
            yield step
            yield from all_steps(step.get('transforms') or ())


def steps_of(loader: dict | None) -> Iterator[dict]:
    """All transforms of a dataloader, those of the outer datasets first."""
    for dataset in all_datasets((loader or {}).get('dataset') or {}):
        yield from all_steps(dataset.get('pipeline') or ())
