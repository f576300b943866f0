# DINO, augmented, its weights averaged: docs/adapt_results.md adapts it.
_base_ = [
    '../_base_/models/dino_r18_small.py',
    '../_base_/datasets/nuclei.py',
    '../_base_/schedules/small_800.py',
    '../_base_/small_runtime.py',
]
model = dict(bbox_head=dict(num_classes=1))
train_dataloader = dict(
    batch_size=4, dataset=dict(pipeline=_base_.strong_pipeline)
)
custom_hooks = [dict(type='EMAHook', momentum=0.01)]
