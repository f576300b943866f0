# ALDI++, Cityscapes -> Foggy Cityscapes, ResNet-50-FPN: soft labels on masked
# target images. On fewer than 8 GPUs: --auto-scale-lr.
_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
    '../_base_/datasets/city2foggy_aldi.py',
    '../_base_/schedules/aldi_25k.py',
    '../_base_/default_runtime.py',
]
detector = _base_.model
detector.roi_head.bbox_head.num_classes = 8
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=detector,
    pseudo_labels=dict(threshold=0.8, ignore_above=None),
    distillation=dict(type='TwoStageDistillation'),
    block_masking=dict(size=32, ratio=0.5),
)
train_cfg = dict(type='DALoop', target_dataloader=_base_.target_dataloader)
custom_hooks = [
    dict(
        type='SelfTrainingHook',
        burn_in=10000,
        momentum=0.0004,
        reset_student=True,
    )
]
load_from = _base_.coco_weights
