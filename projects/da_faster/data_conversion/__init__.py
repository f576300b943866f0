"""Converters of published datasets to COCO annotation files.

One module per publisher, each with a function ``convert``. The commands in
tools/dataset_converters call it with their options::

    from da_faster.data_conversion import kitti, summary

    written = kitti.convert('data/kitti', classes=['Car=car', 'Van=car'])
    print(summary(written))

It returns what it wrote, {path of the annotation file: CocoSplit}. The same
input gives the same bytes. A file is written whole or not at all, and it is
replaced only with ``force=True``. Where something is broken, a
``ConversionError`` says how to mend it.

``out`` is the folder to write to. ``skip_broken`` leaves out the images that
cannot be used, each with its sentence in the summary; without it one error
names them all. ``nproc`` is the number of processes, by default one per core.
``classes`` chooses and renames the labels: each item is ``LABEL`` or
``LABEL=CLASS``, and the order of the classes gives the category ids 1, 2, ...
"""

from .coco import CocoSplit
from .output import summary
from .samples import Box, ConversionError, Sample

__all__ = ['Box', 'CocoSplit', 'ConversionError', 'Sample', 'summary']
