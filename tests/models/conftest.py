"""Fixtures: a tiny detector, and batches for it."""

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.structures import InstanceData

import da_faster  # noqa: F401

CLASSES = 3


@pytest.fixture
def model_cfg():
    """The narrowed config of the small detector, without dropout."""
    register_all_modules()
    cfg = Config.fromfile('configs/_base_/models/faster_rcnn_r18_small.py')
    methods = Config.fromfile(
        'configs/_base_/methods/domain_classifiers_r18_small.py'
    )
    cfg.model.update(methods.domain_classifiers)
    cfg.merge_from_dict(
        {
            'model.backbone.base_channels': 8,
            'model.backbone.norm_cfg.num_groups': 4,
            'model.rpn_head.in_channels': 32,
            'model.rpn_head.feat_channels': 16,
            'model.roi_head.bbox_roi_extractor.out_channels': 32,
            'model.roi_head.bbox_head.in_channels': 32,
            'model.roi_head.bbox_head.fc_out_channels': 24,
            'model.roi_head.bbox_head.num_classes': CLASSES,
            'model.domain_neck.in_channels': 32,
            'model.instance_domain_head.in_channels': 24,
            'model.instance_domain_head.dropout': 0.0,
            # The small configs have no consistency loss.
            'model.loss_consistency.type': 'DomainConsistencyLoss',
            'model.train_cfg.rcnn.sampler.num': 16,
            'model.train_cfg.rpn_proposal.max_per_img': 40,
        }
    )
    return cfg.model


@pytest.fixture
def build(model_cfg):
    """Builds the detector with overrides, always with the same weights."""

    def build(**overrides):
        torch.manual_seed(0)
        cfg = model_cfg.copy()
        cfg.update(overrides)
        if overrides.get('type') == 'FasterRCNN':
            for key in (
                'domain_neck',
                'instance_domain_head',
                'loss_consistency',
            ):
                cfg.pop(key)
        model = MODELS.build(cfg)
        model.init_weights()
        return model.train()

    return build


def make_sample(labelled: bool, generator: torch.Generator) -> DetDataSample:
    sample = DetDataSample(
        metainfo=dict(
            img_shape=(64, 96), ori_shape=(64, 96), scale_factor=(1.0, 1.0)
        )
    )
    sample.gt_instances = InstanceData()
    if labelled:
        xy = torch.rand(3, 2, generator=generator) * 30
        wh = 12 + torch.rand(3, 2, generator=generator) * 20
        sample.gt_instances.bboxes = torch.cat([xy, xy + wh], dim=1)
        sample.gt_instances.labels = torch.randint(
            0, CLASSES, (3,), generator=generator
        )
    return sample


@pytest.fixture
def make_batch():
    """A batch of two domains, before the data preprocessor."""

    def make(num_source: int = 2, num_target: int = 2) -> dict:
        g = torch.Generator().manual_seed(0)
        sizes = dict(source=num_source, target=num_target)
        return dict(
            inputs={
                d: [
                    torch.randint(0, 256, (3, 64, 96), generator=g).byte()
                    for _ in range(n)
                ]
                for d, n in sizes.items()
            },
            data_samples={
                d: [make_sample(d == 'source', g) for _ in range(n)]
                for d, n in sizes.items()
            },
        )

    return make
