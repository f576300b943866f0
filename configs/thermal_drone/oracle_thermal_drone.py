# Upper bound: the same detector trained on the target's labels.
_base_ = './source_only_thermal_drone.py'
train_dataloader = dict(dataset=_base_.oracle)
