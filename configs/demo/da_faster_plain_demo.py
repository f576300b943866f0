# Generated city -> foggy city: a small detector, from scratch, on a CPU. The
# method of 2018: domain classifiers alone.
_base_ = [
    '../_base_/models/da_faster_rcnn_r18_small.py',
    '../_base_/datasets/city2foggy_demo.py',
    '../_base_/schedules/small_2200.py',
    '../_base_/default_runtime.py',
]
model = dict(
    rpn_head=dict(
        anchor_generator=dict(scales=[1, 2, 4, 8], ratios=[0.5, 1.0, 2.0])
    ),
    roi_head=dict(bbox_head=dict(num_classes=5)),
)
train_cfg = dict(max_iters=_base_.max_iters, val_interval=_base_.max_iters)
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=1))
randomness = dict(seed=0)
