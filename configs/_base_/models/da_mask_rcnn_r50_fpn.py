# Domain adaptation on MMDetection's Mask R-CNN, R50-FPN: as of Faster R-CNN;
# the mask branch learns from the source alone.
_base_ = 'mmdet::_base_/models/mask-rcnn_r50_fpn.py'
model = dict(
    type='DAFasterRCNN',
    data_preprocessor=dict(type='DomainDataPreprocessor'),
    roi_head=dict(
        type='DARoIHead',
        bbox_head=dict(num_classes=8),
        mask_head=dict(num_classes=8),
    ),
    domain_neck=dict(
        type='DomainClassifierNeck', in_channels=256, grad_scale=0.1
    ),
    instance_domain_head=dict(
        type='InstanceDomainHead', in_channels=1024, grad_scale=0.1
    ),
    loss_consistency=dict(type='DomainConsistencyLoss', loss_weight=0.1),
)
