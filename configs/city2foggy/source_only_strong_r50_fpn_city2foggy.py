# The fair baseline of mean_teacher_r50_fpn_city2foggy.py.
_base_ = [
    '../_base_/models/da_faster_rcnn_r50_fpn.py',
    '../_base_/datasets/city2foggy_aldi.py',
    '../_base_/schedules/aldi_25k.py',
    '../_base_/default_runtime.py',
]
model = dict(
    domain_neck=None, instance_domain_head=None, loss_consistency=None
)
train_cfg = dict(
    _delete_=True,
    type='SeededTrainLoop',
    max_iters=_base_.max_iters,
    val_interval=5000,
)
custom_hooks = [dict(type='EMAHook', momentum=0.0004)]
load_from = _base_.coco_weights
