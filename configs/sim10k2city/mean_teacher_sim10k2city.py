# A teacher labels the target, after a burn-in with domain classifiers.
_base_ = [
    './source_only_sim10k2city.py',
    '../_base_/methods/domain_classifiers_r50_c4.py',
    '../_base_/methods/mean_teacher_after_classifiers.py',
]
detector = _base_.model
detector.update(_base_.domain_classifiers, loss_consistency=_base_.consistency)
detector.test_cfg.rpn.max_per_img = _base_.teacher_proposals
model = dict(_delete_=True, type='MeanTeacher', detector=detector)
train_dataloader = dict(dataset=dict(pipeline=_base_.strong_pipeline))
target = _base_.target_dataloader
target.dataset.pipeline = _base_.teacher_target_pipeline
train_cfg = dict(type='DALoop', target_dataloader=target)
