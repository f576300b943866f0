"""Measures how far a detector's features of two domains are apart.

from da_faster.features import measure

measure([('source_only.py', 'source_only.pth'), ('da.py', 'da.pth')],
        'features.png')
"""

import importlib.util

from da_faster.errors import UserError

if not importlib.util.find_spec('sklearn'):
    raise UserError(
        'features need the package scikit-learn, which is not installed: pip '
        'install scikit-learn.'
    )

from .command import measure
from .distance import Distance, proxy_a_distance

__all__ = ['Distance', 'measure', 'proxy_a_distance']
