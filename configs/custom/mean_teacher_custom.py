# A teacher labels the target, after a burn-in on the source in the target's
# colours. From then on half of each target image is hidden from the student.
# The domain classifiers of da_faster_custom.py are left out: docs/methods.md.
_base_ = './da_faster_custom.py'
# A teacher that begins before the source is learned loses. So it begins where
# the other methods end, and two fifths as many iterations follow.
burn_in = _base_.max_iters
total = _base_.max_iters * 7 // 5
detector = _base_.model
detector.update(domain_neck=None, instance_domain_head=None)
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=detector,
    # Thresholds by frequency lost more where it was tried: docs/methods.md.
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
    max_iters=total,
    val_interval=total,
    target_dataloader=dict(
        dataset=dict(pipeline=[*_base_.target_pipeline[:-1], views])
    ),
)
*others, decay = _base_.param_scheduler
if decay.get('T_max'):  # a cosine becomes longer
    decay = dict(decay, end=total, T_max=total - decay['begin'])
param_scheduler = [*others, decay]
custom_hooks = [dict(type='SelfTrainingHook', burn_in=burn_in)]
