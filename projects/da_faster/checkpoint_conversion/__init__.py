"""Converts checkpoints from other code.

::

    from da_faster.checkpoint_conversion import convert_maskrcnn_benchmark

    config = ('configs/city2foggy/'
              'da_faster_city2foggy_maskrcnn_benchmark.py')
    convert_maskrcnn_benchmark('model_final.pth', 'port.pth', config)

It writes everything or nothing. It raises a
:class:`da_faster.errors.UserError` for what the user has to mend.
"""

from .maskrcnn_benchmark import Converted, convert_maskrcnn_benchmark

__all__ = ['Converted', 'convert_maskrcnn_benchmark']
