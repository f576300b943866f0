# Without the target's colours.
_base_ = './da_faster_custom.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.strong_pipeline))
