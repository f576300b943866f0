from .consistency_loss import DomainConsistencyLoss
from .da_faster_rcnn import DAFasterRCNN
from .da_roi_head import DARoIHead
from .da_single_stage import DASingleStageDetector
from .data_preprocessor import DomainDataPreprocessor
from .domain_classifiers import DomainClassifierNeck, InstanceDomainHead
from .vgg import VGG, VGGFCLayers

__all__ = [
    'DAFasterRCNN', 'DARoIHead', 'DASingleStageDetector',
    'DomainClassifierNeck', 'DomainConsistencyLoss', 'DomainDataPreprocessor',
    'InstanceDomainHead', 'VGG', 'VGGFCLayers'
]
