# What domain classifiers add to models/faster_rcnn_r18_small.py. There is no
# consistency loss: no table showed a gain.
domain_classifiers = dict(
    type='DAFasterRCNN',
    data_preprocessor=dict(type='DomainDataPreprocessor'),
    roi_head=dict(type='DARoIHead'),
    domain_neck=dict(
        type='DomainClassifierNeck',
        in_channels=128,
        feat_channels=256,
        ignore_padding=False,
        grad_scale=0.1,
        loss_weight=1.0,
    ),
    instance_domain_head=dict(
        type='InstanceDomainHead',
        in_channels=256,
        feat_channels=256,
        shared_dropout=False,
        grad_scale=0.1,
        loss_weight=1.0,
    ),
)
