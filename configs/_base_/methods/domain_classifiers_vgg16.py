# What domain classifiers add to models/faster_rcnn_vgg16.py. The instance
# classifier reads fc7.
_base_ = './domain_classifiers_r50_c4.py'
domain_classifiers = dict(
    domain_neck=dict(in_channels=512, ignore_padding=True),
    instance_domain_head=dict(in_channels=4096, shared_dropout=True),
)
