# Domain Adaptive Faster R-CNN, SIM10k -> Cityscapes: the reference R50-C4
# recipe.
_base_ = [
    './source_only_sim10k2city.py',
    '../_base_/methods/domain_classifiers_r50_c4.py',
]
model = dict(_base_.domain_classifiers, loss_consistency=_base_.consistency)
train_cfg = dict(type='DALoop', target_dataloader=_base_.target_dataloader)
