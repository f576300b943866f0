# Strong augmentation, the target's colours, domain classifiers, averaged
# weights.
_base_ = './da_faster_strong_blood_smears.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.style_pipeline))
