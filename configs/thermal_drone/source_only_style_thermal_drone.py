# The fair baseline in the grey levels of the target's images.
_base_ = './source_only_thermal_drone.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.style_pipeline))
