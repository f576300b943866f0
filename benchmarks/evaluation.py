"""Seconds an image in testing, and the seconds of COCO's evaluation.

    python benchmarks/evaluation.py configs/da_faster_demo.py

tests a detector of random weights on the config's test images: loading and
detection, an image at a time. Then it gives `--images` generated images, with
boxes and with detections near and far from them, to MMDetection's CocoMetric
(pycocotools) and, where faster-coco-eval is installed, to its
FasterCocoMetric, and says by how much the precisions differ that their figures
are means of: of each IoU threshold, recall, class, area and number of
detections. Many detections have equal scores.
"""
import contextlib
import copy
import io
import json
import os.path as osp
import tempfile
from typing import Dict, List
from unittest import mock

import numpy as np
import torch
from common import (device, interleave, load_config, machine, make_parser,
                    positive, ratio, seconds, table)
from mmdet.datasets.api_wrappers import COCOeval
from mmdet.registry import METRICS, MODELS
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.structures import InstanceData


def time_images(cfg, limit: int) -> Dict[str, List[float]]:
    """Seconds of each image, by part."""
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).to(device()).eval()
    model.init_weights()
    with DefaultScope.overwrite_default_scope('mmdet'):
        loader = Runner.build_dataloader({
            **cfg.test_dataloader, 'num_workers': 0,
            'persistent_workers': False
        })
    batches = iter(loader)
    spent: Dict[str, List[float]] = dict(loading=[], detection=[])
    with torch.no_grad():
        for number in range(min(limit + 1, len(loader))):
            batch = []
            loading = seconds(lambda: batch.append(next(batches)))
            detection = seconds(lambda: model.test_step(batch[0]))
            if number or len(loader) == 1:  # the first warms up
                spent['loading'].append(loading)
                spent['detection'].append(detection)
    return spent


def make_truth(images: int, classes: tuple, rng) -> dict:
    """COCO annotations: 2 to 30 boxes an image, some of them crowds."""
    coco = dict(
        images=[
            dict(id=i, file_name=f'{i}.png', width=2048, height=1024)
            for i in range(images)
        ],
        annotations=[],
        categories=[dict(id=i, name=n) for i, n in enumerate(classes, 1)])
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
                    iscrowd=int(rng.random() < 0.05)))
    return coco


def make_detections(coco: dict, rng) -> List[dict]:
    """100 an image, as a model hands them to a metric."""
    boxes = {image['id']: [] for image in coco['images']}
    for ann in coco['annotations']:
        x, y, w, h = ann['bbox']
        boxes[ann['image_id']].append((x, y, x + w, y + h,
                                       ann['category_id'] - 1))
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
                        rng.random(100).round(2), dtype=torch.float))))
    return samples


def time_metrics(cfg, images: int, repeats: int) -> None:
    rng = np.random.default_rng(0)
    classes = cfg.test_dataloader.dataset.metainfo['classes']
    coco = make_truth(images, classes, rng)
    samples = make_detections(coco, rng)
    evaluators = dict(CocoMetric=COCOeval)
    try:
        from faster_coco_eval import COCOeval_faster
        evaluators['FasterCocoMetric'] = COCOeval_faster
    except ImportError:
        print('\nfaster-coco-eval is not installed: not compared.')
    precisions = {}
    with tempfile.TemporaryDirectory() as folder:
        path = osp.join(folder, 'truth.json')
        with open(path, 'w') as file:
            json.dump(coco, file)

        def run(name: str):
            original = evaluators[name].summarize

            def summarize(evaluated) -> None:
                precisions[name] = np.asarray(evaluated.eval['precision'])
                original(evaluated)

            def evaluate() -> None:
                metric = METRICS.build(
                    dict(type=name, ann_file=path, metric='bbox'))
                metric.dataset_meta = dict(classes=classes)
                metric.process({}, copied[name])
                with contextlib.redirect_stdout(io.StringIO()), \
                        mock.patch.object(evaluators[name], 'summarize',
                                          summarize):
                    metric.evaluate(images)

            def measure() -> float:
                copied[name] = [{
                    **sample, 'pred_instances':
                    copy.deepcopy(sample['pred_instances'])
                } for sample in samples]
                return seconds(evaluate)

            return measure

        copied: dict = {}
        results = interleave({name: run(name) for name in evaluators}, repeats)
    first = 'CocoMetric'
    print(f'\nCOCO evaluation of {images} images, {len(classes)} classes, '
          f'{len(coco["annotations"])} boxes, 100 detections an image\n')
    print(
        table(('metric', 's', f'to {first}', 'largest difference'), *(
            (name, f'{np.median(v):.2f}', ratio(v, results[first]),
             f'{np.abs(precisions[name] - precisions[first]).max():.1g}')
            for name, v in results.items())))


def main() -> None:
    parser = make_parser(__doc__)
    parser.set_defaults(repeats=3)
    parser.add_argument('--images', type=positive, default=500)
    parser.add_argument(
        '--limit',
        type=positive,
        default=50,
        help='test images to time, after one to warm up')
    args = parser.parse_args()
    cfg = load_config(args)
    spent = time_images(cfg, args.limit)
    print(f'{args.config}; {machine()}; {len(spent["loading"])} images\n')
    print(
        table(('part', 'ms an image'), *((part, f'{1000 * np.median(v):.0f}')
                                         for part, v in spent.items())))
    time_metrics(cfg, args.images, args.repeats)


if __name__ == '__main__':
    main()
