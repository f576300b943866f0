# Without any image of the target, strongly augmented: the fair baseline.
_base_ = './source_only_style_custom.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.strong_pipeline))
