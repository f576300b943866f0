# What the image-level domain classifier adds to models/retinanet_r18_small.py.
_base_ = './image_classifier_r50_fpn.py'
domain_classifiers = dict(
    domain_neck=dict(in_channels=64, feat_channels=64),
)
