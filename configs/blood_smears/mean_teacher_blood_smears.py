# A teacher labels the target, after a burn-in as in
# da_faster_blood_smears.py. From then on half of each target image is masked
# for the student.
_base_ = [
    './source_only_blood_smears.py',
    '../_base_/methods/domain_classifiers_r18_small.py',
]
detector = _base_.model
detector.update(_base_.domain_classifiers)
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=detector,
    pseudo_labels=dict(threshold=0.5, ignore_above=0.3),
    block_masking=dict(size=32, ratio=0.5),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.style_pipeline))
target = _base_.target_dataloader
target.dataset.pipeline = _base_.teacher_target_pipeline
max_iters = 1200
train_cfg = dict(
    type='DALoop',
    max_iters=max_iters,
    val_interval=max_iters,
    target_dataloader=target,
)
warm_up, decay = _base_.param_scheduler
decay.update(end=max_iters, T_max=max_iters - decay.begin)
param_scheduler = [warm_up, decay]
custom_hooks = [dict(type='SelfTrainingHook', burn_in=700)]
# The classifiers rest after the burn-in.
find_unused_parameters = True
