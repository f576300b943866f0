# The method of 2018: domain classifiers alone.
_base_ = './da_faster_custom.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
train_cfg = dict(
    target_dataloader=dict(dataset=dict(pipeline=_base_.target_pipeline))
)
custom_hooks = []
