# Strong augmentation, the target's colours, domain classifiers, averaged
# weights.
_base_ = './source_only_custom.py'
model = _base_.domain_classifiers
train_dataloader = dict(dataset=dict(pipeline=_base_.style_pipeline))
target = _base_.target_dataloader
target.dataset.pipeline = _base_.strong_target_pipeline
train_cfg = dict(type='DALoop', target_dataloader=target)
custom_hooks = [dict(type='EMAHook', momentum=0.01)]
