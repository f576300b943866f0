# The method of 2018 with an FPN, which is small as well.
_base_ = [
    './source_only_r18_fpn_demo.py',
    '../_base_/methods/domain_classifiers_r18_small.py',
]
model = _base_.domain_classifiers
train_cfg = dict(type='DALoop', target_dataloader=_base_.target_dataloader)
