"""Trains, tests and detects from Python, as the commands in ``tools/`` do.

    from da_faster.apis import test, train

    train('configs/da_faster_demo.py', resume='auto')
    metrics = test('configs/da_faster_demo.py',
                   'work_dirs/da_faster_demo/iter_2200.pth')

Each function raises a ``UserError`` with one sentence if the user can mend the
cause.
"""

from .config import load_config
from .prediction import predict
from .testing import test
from .training import train

__all__ = ['load_config', 'predict', 'test', 'train']
