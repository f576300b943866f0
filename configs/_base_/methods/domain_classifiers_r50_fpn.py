# What domain classifiers add to Faster R-CNN and Mask R-CNN, R50-FPN. The
# masks learn from the source alone.
domain_classifiers = dict(
    type='DAFasterRCNN',
    data_preprocessor=dict(type='DomainDataPreprocessor'),
    roi_head=dict(type='DARoIHead'),
    # One classifier serves all levels; with num_levels=5 each has its own.
    domain_neck=dict(
        type='DomainClassifierNeck', in_channels=256, grad_scale=0.1
    ),
    # On the last hidden vector of the box head.
    instance_domain_head=dict(
        type='InstanceDomainHead', in_channels=1024, grad_scale=0.1
    ),
)
# The third loss of the reference recipe.
consistency = dict(type='DomainConsistencyLoss', loss_weight=0.1)
