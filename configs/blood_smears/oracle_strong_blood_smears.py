# Upper bound, strongly augmented, averaged weights.
_base_ = './source_only_blood_smears.py'
train_dataloader = dict(
    dataset=dict(_base_.oracle, pipeline=_base_.strong_pipeline)
)
custom_hooks = [dict(type='EMAHook', momentum=0.01)]
