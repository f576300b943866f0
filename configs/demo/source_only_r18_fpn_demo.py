# The small detector with an FPN, without domain adaptation.
_base_ = [
    '../_base_/models/faster_rcnn_r18_small.py',
    '../_base_/datasets/city2foggy_demo.py',
    '../_base_/schedules/small_2200.py',
    '../_base_/small_runtime.py',
]
model = dict(
    backbone=dict(
        num_stages=4,
        strides=(1, 2, 2, 2),
        dilations=(1, 1, 1, 1),
        out_indices=(1, 2, 3),
    ),
    neck=dict(
        type='FPN',
        in_channels=[64, 128, 256],
        out_channels=128,
        num_outs=3,
        init_cfg=dict(type='Xavier', layer='Conv2d', distribution='uniform'),
    ),
    rpn_head=dict(
        in_channels=128,
        feat_channels=128,
        anchor_generator=dict(
            scales=[2, 4], ratios=[0.5, 1.0, 2.0], strides=[8, 16, 32]
        ),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=128, featmap_strides=[8, 16, 32]),
        bbox_head=dict(num_classes=5),
    ),
)
