# Strong augmentation, the target's colours, domain classifiers, averaged
# weights.
_base_ = './demo/da_faster_strong_demo.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.style_pipeline))
