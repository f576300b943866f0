# A teacher labels the target, after a burn-in on the source in the target's
# colours. Then half of what the student sees is hidden. The domain classifiers
# of da_faster_custom.py are left out: docs/methods.md.
_base_ = './da_faster_custom.py'
# A teacher that begins before the source is learned loses. So the training of
# the others comes first, and two fifths of it again.
burn_in = _base_.max_iters
total = burn_in + max(burn_in * 2 // 5, 1)
detector = _base_.model
data_preprocessor = detector.pop('data_preprocessor')
detector.update(domain_neck=None, instance_domain_head=None)
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=detector,
    hidden_blocks=dict(size=32, ratio=0.5),
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
    max_iters=total,
    val_interval=total,
    target_dataloader=dict(
        dataset=dict(pipeline=[*_base_.target_pipeline[:-1], views])
    ),
)
warm_up, decay = _base_.param_scheduler
decay = dict(decay, end=total)
if 'T_max' in decay:
    decay['T_max'] = total - decay['begin']
param_scheduler = [warm_up, decay]
custom_hooks = [dict(type='SelfTrainingHook', burn_in=burn_in)]
