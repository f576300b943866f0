# ResNet-50-FPN, Cityscapes -> Foggy Cityscapes. Without adaptation:
#   --cfg-options model.domain_neck=None model.instance_domain_head=None
#   model.loss_consistency=None
# One image classifier a level: --cfg-options model.domain_neck.num_levels=5
_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
    '../_base_/methods/domain_classifiers_r50_fpn.py',
    '../_base_/datasets/city2foggy.py',
    '../_base_/schedules/reference_70k.py',
    '../_base_/default_runtime.py',
]
model = _base_.domain_classifiers
model.update(
    loss_consistency=_base_.consistency,
    roi_head=dict(bbox_head=dict(num_classes=8)),
)
train_cfg = dict(type='DALoop', target_dataloader=_base_.target_dataloader)
