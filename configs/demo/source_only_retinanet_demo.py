# A dense detector of one stage: docs/adapt_results.md starts from it.
_base_ = [
    '../_base_/models/da_retinanet_r18_small.py',
    '../_base_/datasets/city2foggy_demo.py',
    '../_base_/schedules/small_2200.py',
    '../_base_/default_runtime.py',
]
model = dict(
    # Anchors from 16 pixels: the objects are small.
    bbox_head=dict(num_classes=5, anchor_generator=dict(octave_base_scale=2)),
    domain_neck=None,
)
train_cfg = dict(
    _delete_=True,
    type='SeededTrainLoop',
    max_iters=_base_.max_iters,
    val_interval=_base_.max_iters,
)
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=1))
randomness = dict(seed=0)
