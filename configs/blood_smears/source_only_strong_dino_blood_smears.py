# A detector like DETR, augmented, its weights averaged: docs/adapt_results.md
# starts from it.
_base_ = [
    '../_base_/models/dino_r18_small.py',
    '../_base_/datasets/blood_smears.py',
    '../_base_/schedules/small_800.py',
    '../_base_/default_runtime.py',
]
model = dict(bbox_head=dict(num_classes=2))
train_dataloader = dict(
    batch_size=4, dataset=dict(pipeline=_base_.strong_pipeline)
)
train_cfg = dict(
    _delete_=True,
    type='SeededTrainLoop',
    max_iters=_base_.max_iters,
    val_interval=_base_.max_iters,
)
custom_hooks = [dict(type='EMAHook', momentum=0.01)]
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=1))
randomness = dict(seed=0)
