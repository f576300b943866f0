"""Any MMDetection detector, adapted to a folder of unlabelled images.

The config that ``tools/adapt.py`` trains on, to look at and to change:

    from mmengine.config import Config
    from da_faster.adaptation import adapt_config

    cfg = adapt_config(Config.fromfile('rtmdet.py'), target='my_images/',
                       load_from='rtmdet.pth')
    cfg.dump('adapt.py')  # python tools/train.py adapt.py
"""

from .command import Adapted, adapt
from .configuration import adapt_config
from .offline_labels import label_folder
from .settings import Settings
from .verdict import Verdict, compare

__all__ = [
    'Adapted',
    'Settings',
    'Verdict',
    'adapt',
    'adapt_config',
    'compare',
    'label_folder',
]
