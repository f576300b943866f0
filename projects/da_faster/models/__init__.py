from .adversarial import (
    DAFasterRCNN,
    DARoIHead,
    DASingleStageDetector,
    DomainClassifierNeck,
    DomainConsistencyLoss,
    InstanceDomainHead,
)
from .data_preprocessor import DomainDataPreprocessor
from .self_training import (
    BlockMasking,
    MeanTeacher,
    PseudoLabels,
    TwoStageDistillation,
)
from .vgg import VGG, VGGFCLayers

__all__ = [
    'DAFasterRCNN',
    'DARoIHead',
    'DASingleStageDetector',
    'DomainClassifierNeck',
    'DomainConsistencyLoss',
    'DomainDataPreprocessor',
    'BlockMasking',
    'InstanceDomainHead',
    'MeanTeacher',
    'PseudoLabels',
    'TwoStageDistillation',
    'VGG',
    'VGGFCLayers',
]
