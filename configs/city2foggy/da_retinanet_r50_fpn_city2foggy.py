# RetinaNet, ResNet-50-FPN, Cityscapes -> Foggy Cityscapes. Without
# adaptation: --cfg-options model.domain_neck=None
_base_ = [
    'mmdet::_base_/models/retinanet_r50_fpn.py',
    '../_base_/methods/image_classifier_r50_fpn.py',
    '../_base_/datasets/city2foggy.py',
    '../_base_/schedules/reference_70k.py',
    '../_base_/default_runtime.py',
]
model = dict(_base_.domain_classifiers, bbox_head=dict(num_classes=8))
train_cfg = dict(type='DALoop', target_dataloader=_base_.target_dataloader)
# MMDetection's rate, 0.01 for 16 images.
optim_wrapper = dict(optimizer=dict(lr=0.01 / 16))
