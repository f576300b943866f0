"""Pictures of data and of detections::

from da_faster.apis import load_config
from da_faster.visualization import browse, compare

browse(load_config('configs/da_faster_demo.py'), 'browse.png')
"""

from .detections import compare
from .domains import browse

__all__ = ['browse', 'compare']
