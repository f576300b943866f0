# Image-level domain adaptation of MMDetection's RetinaNet, R50-FPN.
_base_ = 'mmdet::_base_/models/retinanet_r50_fpn.py'
model = dict(
    type='DASingleStageDetector',
    data_preprocessor=dict(type='DomainDataPreprocessor'),
    bbox_head=dict(num_classes=8),
    domain_neck=dict(
        type='DomainClassifierNeck', in_channels=256, grad_scale=0.1
    ),
)
