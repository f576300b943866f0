# A dense detector of one stage, with the image-level classifier alone.
_base_ = [
    '../_base_/models/da_retinanet_r18_small.py',
    '../_base_/datasets/blood_smears.py',
    '../_base_/schedules/small_800.py',
    '../_base_/default_runtime.py',
]
model = dict(bbox_head=dict(num_classes=2))
train_cfg = dict(max_iters=_base_.max_iters, val_interval=_base_.max_iters)
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=1))
randomness = dict(seed=0)
