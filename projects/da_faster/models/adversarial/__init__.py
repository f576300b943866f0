"""Adversarial alignment: domain classifiers behind a reversed gradient.

The losses and heads, and the detectors that use them.
"""

from .consistency_loss import DomainConsistencyLoss
from .da_faster_rcnn import DAFasterRCNN
from .da_roi_head import DARoIHead
from .da_single_stage import DASingleStageDetector
from .domain_classifiers import DomainClassifierNeck, InstanceDomainHead

__all__ = [
    'DAFasterRCNN',
    'DARoIHead',
    'DASingleStageDetector',
    'DomainClassifierNeck',
    'DomainConsistencyLoss',
    'InstanceDomainHead',
]
