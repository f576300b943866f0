# The fair baseline in the colours of the target's images.
_base_ = './source_only_blood_smears.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.style_pipeline))
custom_hooks = [dict(type='EMAHook', momentum=0.01)]
