# Domain Adaptive Faster R-CNN on MMDetection's R50-FPN.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'
model = dict(
    type='DAFasterRCNN',
    data_preprocessor=dict(type='DomainDataPreprocessor'),
    roi_head=dict(type='DARoIHead', bbox_head=dict(num_classes=8)),
    # One classifier serves all levels; with num_levels=5 each has its own.
    domain_neck=dict(
        type='DomainClassifierNeck', in_channels=256, grad_scale=0.1
    ),
    # On the last hidden vector of the box head.
    instance_domain_head=dict(
        type='InstanceDomainHead', in_channels=1024, grad_scale=0.1
    ),
    loss_consistency=dict(type='DomainConsistencyLoss', loss_weight=0.1),
)
