# Upper bound: the target's labels, strongly augmented, averaged weights.
_base_ = './oracle_voc2clipart.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.strong_pipeline))
custom_hooks = [dict(type='EMAHook', momentum=0.0004)]
