# A teacher labels the target, after a burn-in on the source in the target's
# colours. From then on half of each target image is masked for the student.
# There are no domain classifiers: docs/methods.md.
_base_ = './source_only_custom.py'
# A teacher that begins before the source is learned loses. So it begins where
# the other methods end, and two fifths as many iterations follow.
burn_in = _base_.max_iters
total = burn_in * 7 // 5
model = dict(
    _delete_=True,
    type='MeanTeacher',
    detector=_base_.model,
    # Thresholds by frequency lost more where it was tried: docs/methods.md.
    pseudo_labels=dict(threshold=0.5, ignore_above=0.3),
    block_masking=dict(size=32, ratio=0.5),
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
*others, decay = _base_.param_scheduler
if decay.get('T_max'):  # a cosine becomes longer
    decay.update(end=total, T_max=total - decay.begin)
param_scheduler = [*others, decay]
custom_hooks = [dict(type='SelfTrainingHook', burn_in=burn_in)]
