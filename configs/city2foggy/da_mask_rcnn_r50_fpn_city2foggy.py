# Mask R-CNN, ResNet-50-FPN, Cityscapes -> Foggy Cityscapes. Without
# adaptation:
#   --cfg-options model.domain_neck=None model.instance_domain_head=None
#   model.loss_consistency=None
_base_ = [
    '../_base_/models/da_mask_rcnn_r50_fpn.py',
    '../_base_/datasets/city2foggy_instance.py',
    '../_base_/schedules/reference_70k.py',
    '../_base_/default_runtime.py',
]
train_cfg = dict(max_iters=_base_.max_iters, val_interval=10000)
