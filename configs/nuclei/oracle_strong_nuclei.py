# Upper bound, strongly augmented, averaged weights.
_base_ = './oracle_nuclei.py'
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.oracle_pipeline[:-1],
            _base_.strong,
            _base_.oracle_pipeline[-1],
        ]
    )
)
custom_hooks = [dict(type='EMAHook', momentum=0.01)]
