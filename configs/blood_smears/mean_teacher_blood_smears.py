# A teacher labels the target, after a burn-in as in
# da_faster_blood_smears.py. From then on half of each target image is hidden
# from the student.
_base_ = './da_faster_blood_smears.py'
max_iters = 1200
detector = _base_.model
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=detector,
    pseudo_labels=dict(threshold=0.5, ignore_above=0.3),
    block_masking=dict(size=32, ratio=0.5),
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
custom_hooks = [dict(type='SelfTrainingHook', burn_in=700)]
# The classifiers rest after the burn-in.
find_unused_parameters = True
