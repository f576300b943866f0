# A teacher labels the target, after a burn-in with domain classifiers.
_base_ = './da_faster_city2kitti.py'
detector = _base_.model
# Each proposal takes a pass of the RoI head. The teacher needs the sure ones.
detector.test_cfg.rpn.max_per_img = 300
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=detector,
)
train_dataloader = dict(dataset=dict(pipeline=_base_.strong_pipeline))
train_cfg = dict(
    target_dataloader=dict(
        dataset=dict(pipeline=_base_.teacher_target_pipeline)
    )
)
custom_hooks = [dict(type='SelfTrainingHook', burn_in=20000, momentum=0.0004)]
# The classifiers rest after the burn-in.
find_unused_parameters = True
