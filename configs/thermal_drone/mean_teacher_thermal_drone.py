# A teacher labels the target, after a burn-in on the source in the grey levels
# of the target's images.
_base_ = './source_only_thermal_drone.py'
burn_in = _base_.max_iters
total = burn_in * 7 // 5
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=_base_.model,
    pseudo_labels=dict(threshold=0.5, ignore_above=0.3),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.style_pipeline))
target = _base_.target_dataloader
target.dataset.pipeline = _base_.teacher_target_pipeline
train_cfg = dict(
    type='DALoop',
    max_iters=total,
    val_interval=total,
    target_dataloader=target,
)
warm_up, decay = _base_.param_scheduler
decay.update(end=total, T_max=total - decay.begin)
param_scheduler = [warm_up, decay]
custom_hooks = [dict(type='SelfTrainingHook', burn_in=burn_in)]
