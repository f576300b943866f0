# The fair baseline in the target's colours: the one to begin with.
_base_ = './source_only_custom.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.style_pipeline))
custom_hooks = [dict(type='EMAHook', momentum=0.01)]
