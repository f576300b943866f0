# Strong augmentation and averaged weights: the fair baseline.
_base_ = './source_only_custom.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.strong_pipeline))
custom_hooks = [dict(type='EMAHook', momentum=0.01)]
