# Domain classifiers on top of the fair baseline.
_base_ = './da_faster_plain_demo.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.strong_pipeline))
train_cfg = dict(
    target_dataloader=dict(
        dataset=dict(pipeline=_base_.strong_target_pipeline)
    )
)
custom_hooks = [dict(type='EMAHook', momentum=0.01)]
