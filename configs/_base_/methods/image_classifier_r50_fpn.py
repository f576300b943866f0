# What the image-level domain classifier adds to a single-stage detector,
# R50-FPN.
domain_classifiers = dict(
    type='DASingleStageDetector',
    data_preprocessor=dict(type='DomainDataPreprocessor'),
    domain_neck=dict(
        type='DomainClassifierNeck', in_channels=256, grad_scale=0.1
    ),
)
