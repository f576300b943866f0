# A teacher labels the target, after a burn-in on the source in the target's
# colours. There are no domain classifiers: here they gain nothing, and without
# them the same time holds more iterations. The burn-in is long, as a teacher
# that has not learned the source to its end loses.
_base_ = '../source_only_demo.py'
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=_base_.model,
    pseudo_labels=dict(ratio=0.8),
    target_weight=0.25,
)
train_dataloader = dict(dataset=dict(pipeline=_base_.style_pipeline))
target = _base_.target_dataloader
target.dataset.pipeline = _base_.teacher_target_pipeline
max_iters = 3100
train_cfg = dict(
    type='DALoop',
    max_iters=max_iters,
    val_interval=max_iters,
    target_dataloader=target,
)
warm_up, decay = _base_.param_scheduler
decay.update(end=max_iters, T_max=max_iters - decay.begin)
param_scheduler = [warm_up, decay]
custom_hooks = [dict(type='SelfTrainingHook', burn_in=2200)]
