# What domain classifiers add to models/faster_rcnn_r50_caffe_c4.py, with the
# hyper-parameters of the reference implementation.
domain_classifiers = dict(
    type='DAFasterRCNN',
    data_preprocessor=dict(type='DomainDataPreprocessor'),
    roi_head=dict(type='DARoIHead'),
    domain_neck=dict(
        type='DomainClassifierNeck',
        in_channels=1024,
        feat_channels=512,
        ignore_padding=False,
        grad_scale=0.1,
        loss_weight=1.0,
    ),
    instance_domain_head=dict(
        type='InstanceDomainHead',
        in_channels=2048,
        feat_channels=1024,
        shared_dropout=False,
        grad_scale=0.1,
        loss_weight=1.0,
    ),
)
# The third loss of the reference recipe.
consistency = dict(type='DomainConsistencyLoss', loss_weight=0.1)
