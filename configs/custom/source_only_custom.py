# An ordinary detector.
_base_ = './source_only_strong_custom.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
custom_hooks = []
