# The method of 2018: domain classifiers alone.
_base_ = './source_only_custom.py'
model = _base_.domain_classifiers
# Images of many shapes: padding must not tell the domains apart.
model.domain_neck.ignore_padding = True
model.instance_domain_head.shared_dropout = True
train_cfg = dict(type='DALoop', target_dataloader=_base_.target_dataloader)
