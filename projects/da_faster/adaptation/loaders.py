"""The dataloaders of an adaptation."""

import copy
import os.path as osp

from da_faster.config_tree import all_datasets, last_pipelines
from da_faster.detectors import Detector
from da_faster.errors import UserError

from .settings import Settings

PACK = dict(type='PackDetInputs')
STRONG = dict(type='StrongAugmentation')


def loaders(detector: Detector, settings: Settings) -> dict:
    """Makes all dataloaders, and the loops that take from them.

    Args:
        detector (Detector): The detector to adapt.
        settings (Settings): The choices of the user.

    Returns:
        dict: Keys of a config, ``train_dataloader`` to ``test_cfg``.

    Raises:
        UserError: If the source is to be used, and cannot be.
    """
    return dict(
        **training(detector, settings), **measuring(detector, settings)
    )


def training(detector: Detector, settings: Settings) -> dict:
    """Makes the training dataloaders, and the loop that takes from them.

    Args:
        detector (Detector): The detector to adapt.
        settings (Settings): The choices of the user.

    Returns:
        dict: ``train_dataloader`` and ``train_cfg``.

    Raises:
        UserError: If the source is to be used, and cannot be.
    """
    target = dict(
        type='TargetDataset',
        metainfo=dict(classes=detector.classes),
        data_prefix=dict(img=osp.join(settings.target, '')),
    )
    unlabelled = loader(
        batch_size(detector), dict(target, pipeline=views(detector))
    )
    labelled = []
    if settings.source:
        labelled.append(source_dataset(detector, target))
    if settings.target_labels:
        labelled.append(
            dict(
                target,
                type='CocoDataset',
                ann_file=settings.target_labels,
                filter_cfg=dict(filter_empty_gt=True),
                pipeline=labelled_pipeline(detector),
            )
        )
    iters = dict(max_iters=settings.iters, val_interval=settings.iters)
    if not labelled:
        loop = dict(type='TargetLoop', **iters)
        return dict(train_dataloader=unlabelled, train_cfg=loop)
    loop = dict(type='DALoop', target_dataloader=unlabelled, **iters)
    both = labelled_loader(labelled, detector, settings.share)
    return dict(train_dataloader=both, train_cfg=loop)


def measuring(detector: Detector, settings: Settings) -> dict:
    """Validation and test on labelled images, or predictions on the target."""
    labels = settings.test_labels
    images = settings.test_images or settings.target
    tested = dict(
        batch_size=1,
        num_workers=2,
        persistent_workers=True,
        drop_last=False,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(
            type='CocoDataset' if labels else 'TargetDataset',
            metainfo=dict(classes=detector.classes),
            data_prefix=dict(img=osp.join(images, '')),
            test_mode=True,
            pipeline=measured_pipeline(detector),
        ),
    )
    test_cfg = dict(type='TestLoop')
    if not labels:
        return dict(
            val_dataloader=None,
            val_evaluator=None,
            val_cfg=None,
            test_dataloader=tested,
            test_evaluator=[],
            test_cfg=test_cfg,
        )
    tested['dataset']['ann_file'] = labels
    evaluator = dict(
        type='CocoMetric', ann_file=labels, metric='bbox', classwise=True
    )
    return dict(
        val_dataloader=tested,
        test_dataloader=tested,
        val_evaluator=evaluator,
        test_evaluator=evaluator,
        val_cfg=dict(type='ValLoop'),
        test_cfg=test_cfg,
    )


def loader(size: int, dataset: dict, sampler: dict | None = None) -> dict:
    """Makes a training dataloader."""
    return dict(
        batch_size=size,
        num_workers=2,
        persistent_workers=True,
        sampler=sampler or dict(type='InfiniteSampler'),
        dataset=dataset,
    )


def batch_size(detector: Detector) -> int:
    """The number of images of a domain in a batch: at most two."""
    return min(detector.train_batch, 2)


def with_flip(detector: Detector) -> list[dict]:
    """Transforms that load, resize and flip; padding follows the flip."""
    steps = list(detector.geometry)
    if detector.flip:
        types = [step['type'] for step in steps]
        at = types.index('Pad') if 'Pad' in types else len(steps)
        steps.insert(at, detector.flip)
    return steps


def views(detector: Detector) -> list[dict]:
    """The target's pipeline: a weak and a strong view of one geometry."""
    return [
        *with_flip(detector),
        dict(
            type='MultiBranch',
            branch_field=['target', 'target_weak'],
            target=[STRONG, PACK],
            target_weak=[PACK],
        ),
    ]


def measured_pipeline(detector: Detector) -> list[dict]:
    """The pipeline of images to measure on, with their labels if any."""
    labels = dict(type='LoadAnnotations', with_bbox=True)
    keys = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')
    return [*detector.geometry, labels, dict(PACK, meta_keys=keys)]


def labelled_pipeline(detector: Detector) -> list[dict]:
    """The pipeline of labelled images; masks are loaded for a mask head."""
    first, *rest = with_flip(detector)
    labels = dict(type='LoadAnnotations', with_bbox=True)
    if detector.has_masks:
        labels.update(with_mask=True)
    return [first, labels, *rest, STRONG, PACK]


def source_dataset(detector: Detector, target: dict) -> dict:
    """The detector's training set, some images in the target's colours."""
    dataset = (detector.source or {}).get('dataset')
    if not dataset:
        raise UserError(
            f'{detector.name} trains on no labelled images: leave --source '
            'out to adapt without the source.'
        )
    dataset = copy.deepcopy(dataset)
    style = dict(type='TargetStyle', dataset=target)
    for inner in last_pipelines(dataset):
        steps = list(inner['pipeline'])
        if steps[-1]['type'] != 'PackDetInputs':
            raise UserError(
                f'{detector.name}: the training pipeline ends with '
                f'{steps[-1]["type"]}, not with PackDetInputs.'
            )
        inner['pipeline'] = [*steps[:-1], style, STRONG, steps[-1]]
    return dataset


def labelled_loader(datasets: list, detector: Detector, share: float) -> dict:
    """The loader of one labelled set, or of two that share each batch."""
    dataset = datasets[0]
    if len(datasets) > 1 or any(
        'datasets' in d for d in all_datasets(dataset)
    ):
        dataset = dict(
            type='JoinedDatasets',
            metainfo=dict(classes=detector.classes),
            datasets=datasets,
        )
    if len(datasets) == 1:
        return loader(batch_size(detector), dataset)
    ratio = shared_batch(share, batch_size(detector))
    return loader(
        sum(ratio),
        dataset,
        dict(
            type='MultiSourceSampler',
            batch_size=sum(ratio),
            source_ratio=ratio,
        ),
    )


def shared_batch(share: float, least: int) -> list[int]:
    """Counts the images of the source, and of the labelled target, in a batch.

    Args:
        share (float): The fraction of target images, 0.05 to 0.95.
        least (int): The smallest size of the batch. It grows until it comes
            within 0.03 of the share.
    """
    for size in range(max(least, 2), 21):
        few = round(share * size)
        if 0 < few < size and abs(few / size - share) <= 0.03:
            return [size - few, few]
    raise AssertionError(share)
