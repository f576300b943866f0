# A teacher labels the target, after a burn-in on the source in the target's
# colours. There are no domain classifiers: here they gain nothing, and without
# them the same time holds more iterations. The burn-in is long, as a teacher
# that has not learned the source to its end loses.
_base_ = '../da_faster_demo.py'
max_iters = 3100
detector = _base_.model
detector.update(domain_neck=None, instance_domain_head=None)
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=detector,
    pseudo_labels=dict(ratio=0.8),
    target_weight=0.25,
)
pack = _base_.target_pipeline[-1]
views = dict(
    type='MultiBranch',
    branch_field=['target', 'target_weak'],
    target=[_base_.strong, pack],
    target_weak=[pack],
)
train_cfg = dict(
    max_iters=max_iters,
    val_interval=max_iters,
    target_dataloader=dict(
        dataset=dict(pipeline=[*_base_.target_pipeline[:-1], views])
    ),
)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(
        _base_.param_scheduler[1],
        end=max_iters,
        T_max=max_iters - _base_.param_scheduler[1].begin,
    ),
]
custom_hooks = [dict(type='SelfTrainingHook', burn_in=2200)]
