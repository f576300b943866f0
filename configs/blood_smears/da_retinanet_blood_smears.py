# A dense detector of one stage, with the image-level classifier alone.
_base_ = [
    './source_only_retinanet_blood_smears.py',
    '../_base_/methods/image_classifier_r18_small.py',
]
model = _base_.domain_classifiers
train_cfg = dict(type='DALoop', target_dataloader=_base_.target_dataloader)
