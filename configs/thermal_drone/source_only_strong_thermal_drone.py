# Without adaptation, strongly augmented: the fair baseline.
_base_ = './source_only_thermal_drone.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.strong_pipeline))
