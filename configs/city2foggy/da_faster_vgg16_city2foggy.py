# VGG16, the paper's backbone, Cityscapes -> Foggy Cityscapes. Without
# adaptation:
#   --cfg-options model.domain_neck=None model.instance_domain_head=None
#   model.loss_consistency=None
_base_ = [
    '../_base_/models/faster_rcnn_vgg16.py',
    '../_base_/methods/domain_classifiers_vgg16.py',
    '../_base_/datasets/city2foggy.py',
    '../_base_/schedules/reference_70k.py',
    '../_base_/default_runtime.py',
]
model = dict(_base_.domain_classifiers, loss_consistency=_base_.consistency)
train_cfg = dict(type='DALoop', target_dataloader=_base_.target_dataloader)
