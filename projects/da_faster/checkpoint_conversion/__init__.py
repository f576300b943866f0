"""Converts checkpoints from and to other code.

::

    from da_faster.checkpoint_conversion import (convert_maskrcnn_benchmark,
                                                 convert_to_stock)

    config = ('configs/city2foggy/'
              'da_faster_city2foggy_maskrcnn_benchmark.py')
    convert_maskrcnn_benchmark('model_final.pth', 'port.pth', config)
    done = convert_to_stock(config, 'port.pth', 'stock/')
    print(done.config, done.checkpoint, done.changes)

Both write everything or nothing. They raise a
:class:`da_faster.errors.UserError` for what the user has to mend.
"""

from .maskrcnn_benchmark import Converted, convert_maskrcnn_benchmark
from .stock_config import to_stock_config
from .to_stock import StockDetector, convert_to_stock

__all__ = [
    'Converted',
    'StockDetector',
    'convert_maskrcnn_benchmark',
    'convert_to_stock',
    'to_stock_config',
]
