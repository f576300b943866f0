# ALDI++, Cityscapes -> Foggy Cityscapes, ResNet-50-FPN: soft labels on masked
# target images. On fewer than 8 GPUs: --auto-scale-lr.
_base_ = [
    '../_base_/models/da_faster_rcnn_r50_fpn.py',
    '../_base_/datasets/city2foggy_aldi.py',
    '../_base_/schedules/aldi_25k.py',
    '../_base_/default_runtime.py',
]
detector = _base_.model
detector.update(
    domain_neck=None, instance_domain_head=None, loss_consistency=None
)
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=detector,
    pseudo_labels=dict(threshold=0.8, ignore_above=None),
    distillation=dict(type='TwoStageDistillation'),
    block_masking=dict(size=32, ratio=0.5),
)
train_cfg = dict(max_iters=_base_.max_iters, val_interval=5000)
custom_hooks = [
    dict(
        type='SelfTrainingHook',
        burn_in=10000,
        momentum=0.0004,
        reset_student=True,
    )
]
load_from = _base_.coco_weights
