"""DARoIHead: RoIs of both domains, their vectors, bfloat16."""

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.structures import InstanceData

from ..conftest import make_sample


def proposals(num: int) -> InstanceData:
    xy = torch.rand(num, 2) * 40
    return InstanceData(
        bboxes=torch.cat([xy, xy + 10], dim=1), scores=torch.rand(num)
    )


def test_rois_of_both_domains_pass_once_source_first(build, monkeypatch):
    head = build().roi_head
    passes = []
    forward = head.bbox_roi_extractor.forward
    monkeypatch.setattr(
        head.bbox_roi_extractor,
        'forward',
        lambda x, rois: passes.append(rois) or forward(x, rois),
    )
    samples = [make_sample(True, torch.Generator().manual_seed(0))] * 2
    for s in samples:
        s.gt_instances.bboxes = s.gt_instances.bboxes[:3]
    props = [proposals(40), proposals(40), proposals(30), proposals(5)]
    target_boxes = [p.bboxes.clone() for p in props[2:]]
    x = (torch.randn(4, 32, 4, 6),)
    losses, vectors, image_ids = head.loss_both_domains(x, props, samples)

    assert len(passes) == 1
    assert set(losses) == {'loss_cls', 'acc', 'loss_bbox'}
    # 16 RoIs of each source image; 16 of 30 and all 5 target proposals.
    assert torch.bincount(image_ids).tolist() == [16, 16, 16, 5]
    assert image_ids.tolist() == sorted(image_ids.tolist())
    assert vectors.shape == (53, 24)
    for image, boxes in zip((2, 3), target_boxes):
        drawn = passes[0][passes[0][:, 0] == image, 1:]
        assert {tuple(b) for b in drawn.tolist()} <= {
            tuple(b) for b in boxes.tolist()
        }


def test_vectors_are_what_the_predictor_reads(build):
    head = build().roi_head
    x = (torch.randn(1, 32, 4, 6),)
    rois = torch.tensor([[0.0, 5.0, 5.0, 40.0, 40.0]])
    out = head._bbox_forward(x, rois)
    assert torch.equal(
        head.bbox_head.fc_cls(out['roi_vectors']), out['cls_score']
    )
    scores, deltas = head.bbox_head(out['bbox_feats'])
    assert torch.equal(scores, out['cls_score'])
    assert torch.equal(deltas, out['bbox_pred'])


def test_head_with_separate_branches_is_refused(model_cfg):
    cfg = model_cfg.roi_head.copy()
    cfg.bbox_head = dict(
        cfg.bbox_head, type='ConvFCBBoxHead', num_shared_fcs=1, num_cls_fcs=1
    )
    cfg.update(
        train_cfg=model_cfg.train_cfg.rcnn, test_cfg=model_cfg.test_cfg.rcnn
    )
    with pytest.raises(ValueError, match='separate layers'):
        MODELS.build(cfg)


def in_float32(predict):
    return lambda scores, *args, **kwargs: predict(
        [s.float() for s in scores], *args, **kwargs
    )


@pytest.mark.parametrize('parts', [dict(), dict(loss_consistency=None)])
def test_bfloat16(build, make_batch, parts):
    """Losses and gradients under autocast are close to those of float32."""
    logs, norms = [], []
    for enabled in (False, True):
        model = build(**parts)
        # mmcv's NMS on a CPU takes float32 only.
        model.rpn_head.predict_by_feat = in_float32(
            model.rpn_head.predict_by_feat
        )
        data = model.data_preprocessor(make_batch(), True)
        torch.manual_seed(0)
        with torch.autocast('cpu', torch.bfloat16, enabled=enabled):
            feats = model.extract_feat(data['inputs']['source'])
            total, log = model.parse_losses(model(**data, mode='loss'))
        assert (feats[0].dtype == torch.bfloat16) == enabled
        total.backward()
        logs.append(log)
        norms.append(
            torch.stack(
                [p.grad.norm() for p in model.parameters() if p.requires_grad]
            ).norm()
        )
    for name, value in logs[0].items():
        assert logs[1][name].item() == pytest.approx(
            value.item(), rel=0.1, abs=0.01
        ), name
    assert norms[1].item() == pytest.approx(norms[0].item(), rel=0.1)
