# The demo with tiny images and a narrow network: thousands of iterations in
# minutes, for benchmarks/soak.py.
_base_ = '../configs/demo/da_faster_plain_demo.py'

resize = dict(type='Resize', scale=(128, 64), keep_ratio=True)
train_dataloader = dict(
    num_workers=2,
    dataset=dict(
        pipeline=[
            *_base_.train_pipeline[:2],
            resize,
            *_base_.train_pipeline[2:],
        ]
    ),
)
train_cfg = dict(
    max_iters=3000,
    val_interval=500,
    target_dataloader=dict(
        num_workers=2,
        dataset=dict(
            pipeline=[
                _base_.target_pipeline[0],
                resize,
                *_base_.target_pipeline[1:],
            ]
        ),
    ),
)
test_pipeline = _base_.test_pipeline
test_pipeline[1] = resize
val_dataloader = dict(dataset=dict(pipeline=test_pipeline, indices=20))
model = dict(
    backbone=dict(base_channels=8),
    rpn_head=dict(in_channels=32, feat_channels=32),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=32),
        bbox_head=dict(in_channels=32, fc_out_channels=32),
    ),
    domain_neck=dict(in_channels=32, feat_channels=16),
    instance_domain_head=dict(in_channels=32, feat_channels=16),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=100, max_per_img=50),
        rcnn=dict(sampler=dict(num=32)),
    ),
    test_cfg=dict(rpn=dict(nms_pre=100, max_per_img=50)),
)
default_hooks = dict(checkpoint=dict(interval=100, max_keep_ckpts=2))
