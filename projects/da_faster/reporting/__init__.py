"""Writes one HTML page that compares finished runs.

from da_faster.reporting import report

report(['work_dirs/source_only', 'work_dirs/da_faster'], 'report.html')
"""

from .page import report

__all__ = ['report']
