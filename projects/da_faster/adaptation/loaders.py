"""The images of an adaptation: which, and what becomes of them."""

import copy

from mmengine.config import Config

from da_faster.config_tree import all_datasets, last_name, last_pipelines
from da_faster.errors import UserError

from .derived import Derived

PACK = dict(type='PackDetInputs')
STRONG = dict(type='StrongAugmentation')


def loader(batch_size: int, dataset: dict, sampler: dict | None = None):
    """A training dataloader."""
    return dict(
        batch_size=batch_size,
        num_workers=2,
        persistent_workers=True,
        sampler=sampler or dict(type='InfiniteSampler'),
        dataset=dataset,
    )


def with_flip(derived: Derived) -> list[dict]:
    """Loading, size and flip; what is padded is padded after the flip."""
    steps = list(derived.geometry)
    if derived.flip:
        types = [last_name(step['type']) for step in steps]
        at = types.index('Pad') if 'Pad' in types else len(steps)
        steps.insert(at, derived.flip)
    return steps


def views(derived: Derived) -> list[dict]:
    """The target's pipeline: a weak and a strong view of one geometry."""
    return [
        *with_flip(derived),
        dict(
            type='MultiBranch',
            branch_field=['target', 'target_weak'],
            target=[STRONG, PACK],
            target_weak=[PACK],
        ),
    ]


def measured_pipeline(derived: Derived) -> list[dict]:
    """That of images to measure on, with their labels, or to look at."""
    labels = dict(type='LoadAnnotations', with_bbox=True)
    keys = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')
    return [*derived.geometry, labels, dict(PACK, meta_keys=keys)]


def labelled_pipeline(derived: Derived, masks: bool) -> list[dict]:
    """The same of images with boxes, and with masks where they are needed."""
    first, *rest = with_flip(derived)
    labels = dict(type='LoadAnnotations', with_bbox=True)
    if masks:
        labels.update(with_mask=True)
    return [first, labels, *rest, STRONG, PACK]


def source_dataset(cfg: Config, target: dict, name: str) -> dict:
    """The config's training set, some images in the target's colours."""
    dataset = (cfg.get('train_dataloader') or {}).get('dataset')
    if not dataset:
        raise UserError(
            f'{name} trains on no labelled images: leave --source out to '
            'adapt without the source.'
        )
    dataset = copy.deepcopy(dataset)
    style = dict(type='TargetStyle', dataset=target)
    for inner in last_pipelines(dataset):
        steps = list(inner['pipeline'])
        if last_name(steps[-1]['type']) != 'PackDetInputs':
            raise UserError(
                f'{name}: the training pipeline ends with '
                f'{steps[-1]["type"]}, not with PackDetInputs.'
            )
        inner['pipeline'] = [*steps[:-1], style, STRONG, steps[-1]]
    return dataset


def labelled_loader(datasets: list, derived: Derived, share: float) -> dict:
    """Of one labelled set, or of two that share each batch."""
    dataset = datasets[0]
    if len(datasets) > 1 or any(
        'datasets' in d for d in all_datasets(dataset)
    ):
        dataset = dict(
            type='JoinedDatasets',
            metainfo=dict(classes=derived.classes),
            datasets=datasets,
        )
    if len(datasets) == 1:
        return loader(derived.batch_size, dataset)
    ratio = shared_batch(share, derived.batch_size)
    return loader(
        sum(ratio),
        dataset,
        dict(
            type='MultiSourceSampler',
            batch_size=sum(ratio),
            source_ratio=ratio,
        ),
    )


def shared_batch(share: float, batch_size: int) -> list[int]:
    """Images of the source and of the labelled target in a batch.

    Args:
        share (float): Of the target's, 0.05 to 0.95.
        batch_size (int): The batch has as many, or as many more as it takes
            to come within 0.03 of the share.

    Raises:
        UserError: If the share is out of range.
    """
    if not 0.05 <= share <= 0.95:
        raise UserError(f'share must lie between 0.05 and 0.95, got {share}.')
    for size in range(max(batch_size, 2), 21):
        few = round(share * size)
        if 0 < few < size and abs(few / size - share) <= 0.03:
            return [size - few, few]
    raise AssertionError(share)
