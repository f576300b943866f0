"""Adversarial alignment: domain classifiers behind a reversed gradient.

This package has the classifiers, their losses and the detectors around them.
"""

from .consistency_loss import DomainConsistencyLoss
from .da_faster_rcnn import DAFasterRCNN
from .da_roi_head import DARoIHead
from .da_single_stage import DASingleStageDetector
from .domain_classifier_neck import DomainClassifierNeck
from .instance_domain_head import InstanceDomainHead

__all__ = [
    'DAFasterRCNN',
    'DARoIHead',
    'DASingleStageDetector',
    'DomainClassifierNeck',
    'DomainConsistencyLoss',
    'InstanceDomainHead',
]
