"""Detections on images without labels, from the template's saved config."""

import json
import pickle

import cv2
import numpy as np
import pytest
import torch
from mmdet.apis import DetInferencer, inference_detector, init_detector
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from da_faster import apis
from da_faster.benchmarking.hard_pairs import fill_template
from da_faster.detectors import convert_to_stock
from da_faster.errors import UserError


@pytest.fixture(scope='module')
def run(tiny_data, tmp_path_factory):
    """A work dir with the saved config of a training, a checkpoint, images."""
    folder = tmp_path_factory.mktemp('run')
    for day in ('day1', 'day2'):
        (folder / 'images' / day).mkdir(parents=True)
        image = np.full((48, 64, 3), 40 if day == 'day1' else 200, np.uint8)
        cv2.imwrite(str(folder / 'images' / day / '1.png'), image)
    (folder / 'template.py').write_text(
        fill_template(
            classes=('box',),
            source_images=f'{tiny_data}/source/',
            source_labels=f'{tiny_data}/source.json',
            target_images=f'{folder}/images/',
            target_scale=(64, 48),
        )
    )
    cfg = Config.fromfile(folder / 'template.py')
    for loader in (cfg.test_dataloader, cfg.train_dataloader):
        loader.num_workers = 0
    cfg.model.roi_head.bbox_head.init_cfg = None
    cfg.dump(folder / 'saved.py')
    init_default_scope('mmdet')
    weights = MODELS.build(cfg.model).state_dict()
    meta = dict(dataset_meta=dict(classes=('box',)))
    torch.save(dict(state_dict=weights, meta=meta), folder / 'x.pth')
    return folder


def drawn_pictures(run, work_dir, out=None, **options) -> dict:
    """Tests, and returns the drawn pictures by name below the folder."""
    apis.test(
        str(run / 'saved.py'),
        str(run / 'x.pth'),
        show_dir='drawn',
        out=out,
        work_dir=str(work_dir),
        options={
            'experiment_name': work_dir.name,
            'visualizer.name': work_dir.name,
            'default_hooks.visualization.score_thr': 1.0,
            **options,
        },
    )
    (folder,) = work_dir.glob('*/drawn')
    return {
        path.relative_to(folder).as_posix(): cv2.imread(str(path))
        for path in sorted(folder.rglob('*.*'))
    }


def test_pictures_and_detections(run, tmp_path):
    pictures = drawn_pictures(run, tmp_path, str(tmp_path / 'x.pkl'))
    assert set(pictures) == {'day1/1.png', 'day2/1.png'}
    # The detections alone, as there are no labels to stand beside them.
    assert pictures['day1/1.png'].shape == (48, 64, 3)
    assert np.median(pictures['day1/1.png']) == 40
    assert np.median(pictures['day2/1.png']) == 200
    results = pickle.loads((tmp_path / 'x.pkl').read_bytes())
    assert [r['img_path'][-10:] for r in results] == list(pictures)


def test_labelled_images_of_two_folders(run, tmp_path):
    """The pictures of both folders show label and detection side by side."""
    names = 'day1/1.png', 'day2/1.png'
    (tmp_path / 'x.json').write_text(
        json.dumps(
            dict(
                images=[
                    dict(id=i, file_name=name, width=64, height=48)
                    for i, name in enumerate(names)
                ],
                annotations=[
                    dict(
                        id=1,
                        image_id=0,
                        category_id=1,
                        bbox=[1, 2, 30, 30],
                        area=900,
                        iscrowd=0,
                    )
                ],
                categories=[dict(id=1, name='box')],
            )
        )
    )
    pictures = drawn_pictures(
        run,
        tmp_path,
        **{
            'test_dataloader.dataset.type': 'CocoDataset',
            'test_dataloader.dataset.ann_file': str(tmp_path / 'x.json'),
            'test_evaluator': [
                dict(type='CocoMetric', ann_file=str(tmp_path / 'x.json'))
            ],
        },
    )
    assert {p: image.shape for p, image in pictures.items()} == dict.fromkeys(
        names, (48, 128, 3)
    )


def test_nothing_to_measure_and_nothing_to_keep(run, tmp_path):
    with pytest.raises(UserError, match='give --show-dir or --out'):
        apis.test(str(run / 'saved.py'), str(run / 'x.pth'))


@pytest.mark.parametrize('stock', [False, True])
def test_the_ways_of_mmdetection(run, stock):
    image = str(run / 'images/day1/1.png')
    config, weights = run / 'saved.py', run / 'x.pth'
    if stock:
        made = convert_to_stock(config, weights, run / 'stock.pth')
        config, weights = made.config, made.checkpoint
    model = init_detector(config, str(weights), device='cpu')
    assert model.dataset_meta['classes'] == ('box',)
    assert 'bboxes' in inference_detector(model, image).pred_instances
    inferencer = DetInferencer(str(config), str(weights), device='cpu')
    (found,) = inferencer(image, no_save_vis=True)['predictions']
    assert set(found) >= {'bboxes', 'scores', 'labels'}
