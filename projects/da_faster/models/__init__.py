from .consistency_loss import DomainConsistencyLoss
from .da_faster_rcnn import DAFasterRCNN
from .da_roi_head import DARoIHead
from .data_preprocessor import DomainDataPreprocessor
from .domain_classifiers import DomainClassifierNeck, InstanceDomainHead

__all__ = [
    'DAFasterRCNN', 'DARoIHead', 'DomainClassifierNeck',
    'DomainConsistencyLoss', 'DomainDataPreprocessor', 'InstanceDomainHead'
]
