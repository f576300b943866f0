"""Checks that every test image is scored, and with its own labels.

The COCO evaluation joins detections and labels by the ids of the images. The
ids of two files mostly coincide, as both count from 0 or from 1.
"""

import os.path as osp

from .annotations import kept_images
from .parts import Part
from .reader import DataReader


def metrics_of(evaluator) -> list[dict]:
    """Returns the metrics of an evaluator's config, a dict or a list."""
    if isinstance(evaluator, (list, tuple)):
        return [metric for item in evaluator for metric in metrics_of(item)]
    if evaluator and 'metrics' in evaluator:  # MultiDatasetsEvaluator
        return metrics_of(evaluator['metrics'])
    return [evaluator] if evaluator else []


def needs_labels(metric: dict) -> bool:
    """Whether a metric measures, or just writes detections to a file."""
    return not metric.get('format_only') and 'Dump' not in str(
        metric.get('type')
    )


def is_scored(reader: DataReader, role: str) -> bool:
    """Whether a metric looks at the labels of the test or val images."""
    loader = f'{role}_dataloader'
    same = reader.cfg.get('val_dataloader') == reader.cfg.get(loader)
    return any(
        needs_labels(metric)
        for key in {f'{role}_evaluator', 'val_evaluator' if same else ''}
        for metric in metrics_of(reader.cfg.get(key))
    )


def check_evaluation(reader: DataReader) -> None:
    """Checks the size of the test set and the files that score it."""
    expected = reader.cfg.get('expected_images')
    for part in reader.parts_of('test'):
        if expected and len(part.images) != expected:
            reader.fatal(
                f'{part.where} has {len(part.images)} images, but the '
                f'benchmark tests on {expected}: convert the right split, '
                'or set expected_images=None for another benchmark.'
            )
    same = reader.cfg.get('val_dataloader') == reader.cfg.get(
        'test_dataloader'
    )
    for role in ('val', 'test'):
        if role in reader.roles:
            parts = reader.parts_of('test' if same else role)
            check_scoring(reader, f'{role}_evaluator', parts)
            check_visited(reader, role, parts)


def check_scoring(reader: DataReader, key: str, parts: list[Part]) -> None:
    """Finds an evaluator that scores with the labels of other images."""
    evaluator = reader.cfg.get(key)
    metrics = metrics_of(evaluator)
    joint = isinstance(evaluator, dict) and 'metrics' in evaluator
    files = {osp.realpath(part.ann_file) for part in parts if part.ann_file}
    for part in parts:
        if part.content is None and any(map(needs_labels, metrics)):
            reader.fatal(
                f'{part.where} has no labels, so {key} has nothing to '
                'measure with: give its dataset an ann_file, or set '
                f'{key}=[] to predict only.'
            )
    for metric in metrics:
        path = metric.get('ann_file')
        if not path or not files:
            continue
        if osp.realpath(path) not in files:
            reader.fatal(
                f'{key} scores with {path}, but its images come from '
                f'{parts[0].ann_file}: give both the same ann_file.'
            )
        elif len(files) > 1 and not joint:
            reader.fatal(
                f'{key} scores the images of {len(files)} files with {path} '
                'alone: measure on one after the other, or with '
                'MultiDatasetsEvaluator.'
            )


def check_visited(reader: DataReader, role: str, parts: list[Part]) -> None:
    """Finds labelled images that the dataset or its loader leaves out."""
    metrics = metrics_of(reader.cfg.get(f'{role}_evaluator'))
    if not any(
        metric.get('ann_file') and needs_labels(metric) for metric in metrics
    ):
        return  # the labels come with the images, or are not used
    for part in parts:
        if part.content is None:
            continue
        total = len(part.images)
        try:
            kept = len(kept_images(part, reader.classes_of(part) or ()))
        except (KeyError, TypeError, IndexError):
            continue  # check_boxes has reported it
        if kept < total:
            reader.fatal(
                f'{part.where}: indices, or filter_cfg without '
                f'test_mode=True, leave {kept} of {total} images, and the '
                'evaluation would count the objects of the others as '
                'missed: write a file of those images alone, and give it to '
                f'{role}_dataloader and {role}_evaluator.'
            )
        loader = reader.cfg.get(f'{role}_dataloader')
        size = loader.get('batch_size', 1)
        batches = loader.get('num_batch_per_epoch')
        batcher = loader.get('batch_sampler') or {}
        for key, value, left, advice in (
            ('drop_last', loader.get('drop_last'), kept % size, False),
            (
                'batch_sampler.drop_last',
                batcher.get('drop_last'),
                kept % size,
                False,
            ),
            (
                'num_batch_per_epoch',
                batches,
                max(kept - size * (batches or kept), 0),
                None,
            ),
        ):
            if value and left:
                reader.fatal(
                    f'{role}_dataloader.{key}={value} leaves out {left} '
                    'images, and the evaluation would count their objects as '
                    f'missed: set it to {advice}.'
                )
