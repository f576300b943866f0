# Domain classifiers on top of the target's colours.
_base_ = './da_faster_strong_custom.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.style_pipeline))
