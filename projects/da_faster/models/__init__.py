from .adversarial import (
    DAFasterRCNN,
    DARoIHead,
    DASingleStageDetector,
    DomainClassifierNeck,
    DomainConsistencyLoss,
    InstanceDomainHead,
)
from .data_preprocessor import DomainDataPreprocessor
from .vgg import VGG, VGGFCLayers

__all__ = [
    'DAFasterRCNN',
    'DARoIHead',
    'DASingleStageDetector',
    'DomainClassifierNeck',
    'DomainConsistencyLoss',
    'DomainDataPreprocessor',
    'InstanceDomainHead',
    'VGG',
    'VGGFCLayers',
]
