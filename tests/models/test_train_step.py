"""One training step of each kind of model in configs/.

The models have their full size and random weights, but few proposals.
"""

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures.mask import BitmapMasks
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

STAGES = ('loss_da_instance', 'loss_da_consistency', 'loss_rpn_cls')


def without_downloads(cfg):
    """The config without pretrained weights."""
    if isinstance(cfg, dict):
        return type(cfg)(
            {
                k: None if k == 'init_cfg' else without_downloads(v)
                for k, v in cfg.items()
            }
        )
    return cfg


@pytest.mark.slow
@pytest.mark.parametrize(
    'name, expected',
    [
        ('da_faster_city2foggy', STAGES),
        ('city2foggy/da_faster_r50_fpn_city2foggy', STAGES),
        ('city2foggy/da_faster_vgg16_city2foggy', STAGES),
        ('city2foggy/da_mask_rcnn_r50_fpn_city2foggy', (*STAGES, 'loss_mask')),
        ('city2foggy/da_retinanet_r50_fpn_city2foggy', ('loss_cls',)),
        ('city2foggy/da_fcos_r50_fpn_city2foggy', ('loss_centerness',)),
    ],
)
def test_one_step(name, expected, make_batch):
    register_all_modules()
    cfg = Config.fromfile(f'configs/{name}.py')
    model_cfg = without_downloads(cfg.model)
    two_stages = 'roi_head' in model_cfg
    if two_stages:
        model_cfg.train_cfg.rpn_proposal.max_per_img = 50
        model_cfg.train_cfg.rcnn.sampler.num = 16
    torch.manual_seed(0)
    model = MODELS.build(model_cfg)
    model.init_weights()
    model.train()
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)

    batch = make_batch(1, 1)
    if 'loss_mask' in expected:
        for sample in batch['data_samples']['source']:
            count = len(sample.gt_instances.bboxes)
            sample.gt_instances.masks = BitmapMasks(
                np.ones((count, 64, 96), dtype=np.uint8), 64, 96
            )
    data = model.data_preprocessor(batch, True)
    total, log = model.parse_losses(model(**data, mode='loss'))
    assert log.keys() >= {'loss_bbox', 'loss_da_image', *expected}
    assert all(torch.isfinite(value) for value in log.values()), log

    optimizer.backward(total)
    learning = {n: p for n, p in model.named_parameters() if p.requires_grad}
    without = [n for n, p in learning.items() if p.grad is None]
    assert not without, 'DistributedDataParallel would stop'
    before = model.domain_neck.classifiers[0].conv.weight.clone()
    optimizer.step()
    assert not torch.equal(
        before, model.domain_neck.classifiers[0].conv.weight
    )
    assert all(p.isfinite().all() for p in learning.values())
