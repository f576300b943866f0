# A teacher labels the target, after a burn-in with domain classifiers.
_base_ = [
    './da_faster_vgg16_city2foggy.py',
    '../_base_/methods/mean_teacher_after_classifiers.py',
]
detector = _base_.model
detector.test_cfg.rpn.max_per_img = _base_.teacher_proposals
model = dict(_delete_=True, type='MeanTeacher', detector=detector)
train_dataloader = dict(dataset=dict(pipeline=_base_.strong_pipeline))
target = _base_.target_dataloader
target.dataset.pipeline = _base_.teacher_target_pipeline
train_cfg = dict(type='DALoop', target_dataloader=target)
