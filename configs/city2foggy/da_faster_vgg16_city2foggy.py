# VGG16, the paper's backbone, Cityscapes -> Foggy Cityscapes. Without
# adaptation:
#   --cfg-options model.domain_neck=None model.instance_domain_head=None
#   model.loss_consistency=None
_base_ = [
    '../_base_/models/da_faster_rcnn_vgg16.py',
    '../_base_/datasets/city2foggy.py',
    '../_base_/schedules/reference_70k.py',
    '../_base_/default_runtime.py',
]
train_cfg = dict(max_iters=_base_.max_iters, val_interval=10000)
