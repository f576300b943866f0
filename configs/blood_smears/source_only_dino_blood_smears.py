# A detector like DETR: docs/adapt.md starts from it.
_base_ = [
    '../_base_/models/dino_r18_small.py',
    '../_base_/datasets/blood_smears.py',
    '../_base_/schedules/small_800.py',
    '../_base_/default_runtime.py',
]
max_iters = 1600
model = dict(bbox_head=dict(num_classes=2))
train_dataloader = dict(batch_size=4)
train_cfg = dict(
    _delete_=True,
    type='SeededTrainLoop',
    max_iters=max_iters,
    val_interval=max_iters,
)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(
        _base_.param_scheduler[1],
        end=max_iters,
        T_max=max_iters - _base_.param_scheduler[1].begin,
    ),
]
default_hooks = dict(checkpoint=dict(interval=400, max_keep_ckpts=1))
randomness = dict(seed=0)
