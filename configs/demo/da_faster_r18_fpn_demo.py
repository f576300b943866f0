# The method of 2018 with an FPN, which is small as well.
_base_ = './da_faster_plain_demo.py'
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
        bbox_roi_extractor=dict(out_channels=128, featmap_strides=[8, 16, 32])
    ),
    domain_neck=dict(in_channels=128, feat_channels=256),
)
