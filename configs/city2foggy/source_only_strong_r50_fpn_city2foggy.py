# The fair baseline of mean_teacher_r50_fpn_city2foggy.py.
_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
    '../_base_/datasets/city2foggy_aldi.py',
    '../_base_/schedules/aldi_25k.py',
    '../_base_/default_runtime.py',
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=8)))
custom_hooks = [dict(type='EMAHook', momentum=0.0004)]
load_from = _base_.coco_weights
