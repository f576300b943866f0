"""Any detector of MMDetection, its config read once.

    from da_faster.detectors import Detector, detect

    detector = Detector.read('mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco',
                             'rtmdet.pth')
    print(detector.classes, detector.score_bounds)
    boxes = detect(detector.open(), 'image.png')
    detector.as_stock().write(Path('stock.pth'))

Each raises a ``UserError``, one sentence, for what the user can mend.
"""

from .detector import Detector, convert_to_stock
from .inference import check_detections, detect, predict_sample
from .score_kinds import score_bounds, scores_are_sigmoids
from .stock import StockDetector
from .stock_config import custom_classes, to_stock_config

__all__ = [
    'Detector',
    'StockDetector',
    'check_detections',
    'convert_to_stock',
    'custom_classes',
    'detect',
    'predict_sample',
    'score_bounds',
    'scores_are_sigmoids',
    'to_stock_config',
]
