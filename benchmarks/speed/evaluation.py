"""Times testing, and COCO's evaluation by two libraries."""

import contextlib
import copy
import io
import json
import os.path as osp
import tempfile
from collections.abc import Callable
from typing import NamedTuple
from unittest import mock

import numpy as np
import torch
from mmdet.datasets.api_wrappers import COCOeval
from mmdet.registry import METRICS, MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.structures import InstanceData

from .measuring import device, interleave, seconds, shown


def time_images(cfg: Config, limit: int) -> dict[str, list[float]]:
    """Tests a detector with random weights, an image at a time.

    Args:
        cfg (Config): The config of the detector and of the test images.
        limit (int): Images that count, after one to warm up.

    Returns:
        dict[str, list[float]]: Seconds of each image for ``loading`` and
        ``detection``.
    """
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).to(device()).eval()
    model.init_weights()
    with DefaultScope.overwrite_default_scope('mmdet'):
        loader = Runner.build_dataloader(
            {
                **cfg.test_dataloader,
                'num_workers': 0,
                'persistent_workers': False,
            }
        )
    batches = iter(loader)
    loaded: list = []
    spent: dict[str, list[float]] = dict(loading=[], detection=[])
    count = min(limit + 1, len(loader))
    names = [f'image {n + 1} of {count}' for n in range(count)]
    with torch.no_grad(), contextlib.closing(shown(names)) as show:
        for number, _ in enumerate(show):
            loading = seconds(lambda: loaded.append(next(batches)))
            detection = seconds(lambda: model.test_step(loaded.pop()))
            if number or len(loader) == 1:  # the first warms up
                spent['loading'].append(loading)
                spent['detection'].append(detection)
    return spent


def make_truth(images: int, classes: tuple, rng: np.random.Generator) -> dict:
    """Makes COCO annotations: 2 to 30 boxes in an image, some are crowds."""
    coco = dict(
        images=[
            dict(id=i, file_name=f'{i}.png', width=2048, height=1024)
            for i in range(images)
        ],
        annotations=[],
        categories=[dict(id=i, name=n) for i, n in enumerate(classes, 1)],
    )
    for image in coco['images']:
        for _ in range(rng.integers(2, 31)):
            w, h = np.exp(rng.uniform(2, 6, 2)).tolist()
            x, y = rng.uniform(0, 2048 - w), rng.uniform(0, 1024 - h)
            coco['annotations'].append(
                dict(
                    id=len(coco['annotations']) + 1,
                    image_id=image['id'],
                    category_id=int(rng.integers(1, len(classes) + 1)),
                    bbox=[x, y, w, h],
                    area=w * h,
                    iscrowd=int(rng.random() < 0.05),
                )
            )
    return coco


def make_detections(coco: dict, rng: np.random.Generator) -> list[dict]:
    """Makes 100 detections for each image, in the form that metrics take."""
    boxes = {image['id']: [] for image in coco['images']}
    for ann in coco['annotations']:
        x, y, w, h = ann['bbox']
        boxes[ann['image_id']].append(
            (x, y, x + w, y + h, ann['category_id'] - 1)
        )
    samples = []
    for image_id, known in boxes.items():
        drawn = np.array(known)[rng.integers(0, len(known), 100)]
        size = np.tile(drawn[:, 2:4] - drawn[:, :2], 2)
        moved = drawn[:, :4] + rng.normal(0, 0.15, (100, 4)) * size
        samples.append(
            dict(
                img_id=image_id,
                ori_shape=(1024, 2048),
                pred_instances=InstanceData(
                    bboxes=torch.tensor(moved, dtype=torch.float),
                    labels=torch.tensor(drawn[:, 4]).long(),
                    scores=torch.tensor(
                        rng.random(100).round(2), dtype=torch.float
                    ),
                ),
            )
        )
    return samples


class Comparison(NamedTuple):
    """The times and results of metrics on the same detections.

    Attributes:
        seconds (dict[str, list[float]]): By metric, the seconds of each round.
        difference (dict[str, float]): By metric, the largest difference of a
            precision from that of CocoMetric.
        boxes (int): The number of annotated boxes.
    """

    seconds: dict[str, list[float]]
    difference: dict[str, float]
    boxes: int


def compare_metrics(classes: tuple, images: int, repeats: int) -> Comparison:
    """Times CocoMetric and, where it is installed, FasterCocoMetric.

    Both get generated detections, many with equal scores. The precisions of
    each IoU threshold, recall, class, area and number of detections are
    compared.

    Args:
        classes (tuple[str]): Names of the classes.
        images (int): Images to generate.
        repeats (int): Rounds that count.
    """
    rng = np.random.default_rng(0)
    coco = make_truth(images, classes, rng)
    samples = make_detections(coco, rng)
    evaluators = dict(CocoMetric=COCOeval)
    try:
        from faster_coco_eval import COCOeval_faster

        evaluators['FasterCocoMetric'] = COCOeval_faster
    except ImportError:
        pass
    precisions = {}
    with tempfile.TemporaryDirectory() as folder:
        path = osp.join(folder, 'truth.json')
        with open(path, 'w') as file:
            json.dump(coco, file)

        def run(name: str) -> Callable[[], float]:
            original = evaluators[name].summarize

            def summarize(evaluated) -> None:
                precisions[name] = np.asarray(evaluated.eval['precision'])
                original(evaluated)

            def evaluate(detected: list[dict]) -> None:
                metric = METRICS.build(
                    dict(type=name, ann_file=path, metric='bbox')
                )
                metric.dataset_meta = dict(classes=classes)
                metric.process({}, detected)
                with (
                    contextlib.redirect_stdout(io.StringIO()),
                    mock.patch.object(
                        evaluators[name], 'summarize', summarize
                    ),
                ):
                    metric.evaluate(images)

            def measure() -> float:
                # The metric changes its input.
                detected = [
                    {
                        **sample,
                        'pred_instances': copy.deepcopy(
                            sample['pred_instances']
                        ),
                    }
                    for sample in samples
                ]
                return seconds(lambda: evaluate(detected))

            return measure

        results = interleave({name: run(name) for name in evaluators}, repeats)
    differences = {
        name: float(np.abs(found - precisions['CocoMetric']).max())
        for name, found in precisions.items()
    }
    return Comparison(results, differences, len(coco['annotations']))
