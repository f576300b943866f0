# Without adaptation, strongly augmented, averaged weights: the fair baseline.
_base_ = './source_only_sim10k2city.py'
# The teacher tests with as many proposals.
model = dict(test_cfg=dict(rpn=dict(max_per_img=300)))
train_dataloader = dict(dataset=dict(pipeline=_base_.strong_pipeline))
custom_hooks = [dict(type='EMAHook', momentum=0.0004)]
