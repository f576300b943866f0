# The method of 2018: domain classifiers alone.
_base_ = './source_only_custom.py'
model = _base_.domain_classifiers
train_cfg = dict(type='DALoop', target_dataloader=_base_.target_dataloader)
