# A small detector that trains from scratch on a CPU: ResNet-18 of half width
# up to stride 16. GroupNorm: batch statistics of mixed domains would blur.
_base_ = './faster_rcnn_r50_caffe_c4.py'

norm_cfg = dict(type='GN', num_groups=8, requires_grad=True)
model = dict(
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        depth=18,
        base_channels=32,
        frozen_stages=-1,
        norm_cfg=norm_cfg,
        norm_eval=False,
        style='pytorch',
        init_cfg=None,
    ),
    rpn_head=dict(
        in_channels=128,
        feat_channels=128,
        anchor_generator=dict(
            scales=[2, 4, 7], ratios=[0.7, 1.0, 1.4], center_offset=0.0
        ),
    ),
    roi_head=dict(
        shared_head=None,
        bbox_roi_extractor=dict(
            roi_layer=dict(output_size=7, sampling_ratio=1), out_channels=128
        ),
        bbox_head=dict(
            type='Shared2FCBBoxHead',
            with_avg_pool=False,
            in_channels=128,
            fc_out_channels=256,
        ),
    ),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=1000, max_per_img=200),
        rcnn=dict(sampler=dict(num=128)),
    ),
    test_cfg=dict(
        rpn=dict(nms_pre=1000, max_per_img=200),
        rcnn=dict(nms=dict(iou_threshold=0.5)),
    ),
)
