# A teacher labels the target, after a burn-in as in
# da_faster_custom.py.
_base_ = './da_faster_custom.py'
detector = _base_.model
data_preprocessor = detector.pop('data_preprocessor')
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=detector,
    data_preprocessor=data_preprocessor,
)
pack = _base_.target_pipeline[-1]
views = dict(
    type='MultiBranch',
    branch_field=['target', 'target_weak'],
    target=[_base_.strong, pack],
    target_weak=[pack],
)
train_cfg = dict(
    target_dataloader=dict(
        dataset=dict(pipeline=[*_base_.target_pipeline[:-1], views])
    ),
)
# Later, if the source is not learned by then: docs/mean_teacher.md.
burn_in = _base_.max_iters * 2 // 3
custom_hooks = [dict(type='SelfTrainingHook', burn_in=burn_in)]
# The classifiers rest after the burn-in.
find_unused_parameters = True
